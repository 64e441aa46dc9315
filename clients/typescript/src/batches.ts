// Many images: posted as batches, a few at a time, and handed over as they are done.

import { json } from "./answers.ts";
import { ExtremalError, InvalidRequest, JobRemoved, Unavailable } from "./errors.ts";
import { jobForm } from "./form.ts";
import type { BatchJob, BatchRead, ExtremalArguments, JobRead } from "./generated/schemas.ts";
import { type GivenImage, isAddress, nameOf } from "./images.ts";
import { randomKey } from "./keys.ts";
import type { Explanation } from "./results.ts";
import { call, sleep } from "./retries.ts";
import { begin, follow as request, type Site } from "./site.ts";

/** What became of one image. */
export interface Outcome {
  /** The image as it was given. */
  readonly image: GivenImage;
  /** The name of its file, or its address. */
  readonly name: string;
  /** Null where there is an error. */
  readonly result: Explanation | null;
  /** The reason why it has no result; null where it has one. */
  readonly error: ExtremalError | null;
}

/** How far the images are. */
export interface BatchProgress {
  readonly total: number;
  /** With a result or without one. */
  readonly done: number;
  /** Of them, those without one. */
  readonly failed: number;
  /** How much is done, in [0, 1], with those that run. */
  readonly fraction: number;
}

/** What the images of one call have in common. */
export interface Asked {
  readonly site: Site;
  /** Parameters and options of all. */
  readonly given: ExtremalArguments;
  /** Returns the result of a job that has ended, or throws where it has none. */
  readonly fetch: (job: JobRead) => Promise<Explanation>;
  readonly onProgress?: ((progress: BatchProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A posted batch, and which of its images are still awaited, by their places. */
interface Posted {
  read: BatchRead;
  readonly images: readonly GivenImage[];
  readonly awaited: Set<number>;
}

const MOST_IMAGES = 32;
const MOST_BYTES = 32_000_000; // of one batch: the service takes more, but each is posted again as a whole where it is lost
const AT_ONCE = 2; // batches that are open: the workers have the next while one ends
const POLL_MS = 1000;
const FINAL: unknown[] = ["succeeded", "failed", "canceled", null, undefined]; // without a job there is nothing to come

/** The images of one call, from their posting to their results. */
export class Batches {
  readonly #asked: Asked;
  readonly #total: number;
  #waiting: GivenImage[];
  #open: Posted[] = [];
  #most = MOST_IMAGES;
  #isFull = false; // the queue had no room for an image, and none has ended since: posting it again would be in vain
  #done = 0;
  #failed = 0;

  constructor(images: Iterable<GivenImage>, asked: Asked) {
    this.#asked = asked;
    this.#waiting = [...images];
    this.#total = this.#waiting.length;
  }

  /** Yield what becomes of each image, as it is done; throws where no image can be explained so. */
  async *outcomes(): AsyncGenerator<Outcome> {
    while (this.#open.length || this.#waiting.length) {
      while (this.#waiting.length && this.#mayPost()) yield* this.#post(this.#next());
      for (const one of this.#open) yield* this.#look(one);
      this.#open = this.#open.filter(({ awaited }) => awaited.size);
      this.#tell();
      if (this.#open.length) await sleep(POLL_MS, this.#asked.signal);
    }
  }

  #mayPost(): boolean {
    return !this.#open.length || (this.#open.length < AT_ONCE && !this.#isFull);
  }

  /** Take the next images, as many as one post may have: files first, as the service lists them. */
  #next(): GivenImage[] {
    let [count, size] = [0, 0];
    for (const image of this.#waiting.slice(0, this.#most)) {
      size += sizeOf(image);
      if (count && size > MOST_BYTES) break;
      count += 1;
    }
    const taken = this.#waiting.splice(0, count);
    return [...taken.filter((one) => !isAddress(one)), ...taken.filter(isAddress)];
  }

  /** Post images; those that the queue has no room for are kept for later. */
  async *#post(images: GivenImage[]): AsyncGenerator<Outcome> {
    const { site, given, signal } = this.#asked;
    const headers = { "Idempotency-Key": randomKey() };
    const post = begin(site, "create_batch", { body: jobForm("extremal", images, given), headers });
    try {
      const read: BatchRead = await json(await call(site, post, signal));
      this.#open.push({ read, images, awaited: this.#awaited(read, images) });
    } catch (error) {
      if (error instanceof Unavailable && this.#open.length) {
        this.#isFull = true;
        this.#waiting.unshift(...images);
      } else if (error instanceof InvalidRequest && isAboutImages(error)) {
        yield* this.#refused(images, error);
      } else throw error;
    }
  }

  /** Return the places of the images that are awaited; those that the queue had no room for wait for another post. */
  #awaited({ jobs }: BatchRead, images: GivenImage[]): Set<number> {
    const left = images.filter((_, place) => hadNoRoom(jobs[place]));
    if (left.length) {
      this.#isFull = true;
      this.#most = Math.max(1, jobs.filter(({ job }) => job).length);
      this.#waiting.unshift(...left);
    }
    return new Set([...images.keys()].filter((place) => !hadNoRoom(jobs[place])));
  }

  /** Let a post that was refused for its images be tried in halves; a single image is at fault itself. */
  async *#refused(images: GivenImage[], error: InvalidRequest): AsyncGenerator<Outcome> {
    if (images.length === 1) {
      yield this.#end(images[0]!, null, error);
    } else {
      this.#most = Math.floor(images.length / 2);
      this.#waiting.unshift(...images);
    }
  }

  /** Yield what has become of a batch's images since the last look. */
  async *#look(one: Posted): AsyncGenerator<Outcome> {
    const { site, signal } = this.#asked;
    one.read = await json(await call(site, request(site, one.read.links.self), signal));
    for (const place of [...one.awaited]) {
      const item = one.read.jobs[place]!;
      if (!FINAL.includes(item.status)) continue;
      one.awaited.delete(place);
      yield await this.#ended(one.images[place]!, item);
    }
  }

  async #ended(image: GivenImage, { job, link, error }: BatchJob): Promise<Outcome> {
    this.#isFull &&= !job;
    if (!job && error) return this.#end(image, null, new InvalidRequest(error));
    if (!link) return this.#end(image, null, new JobRemoved(`the job of ${named(image)} was removed`));
    const { site, signal, fetch } = this.#asked;
    const ended: JobRead = await json(await call(site, request(site, link), signal));
    try {
      return this.#end(image, await fetch(ended), null);
    } catch (reason) {
      if (ended.links.result || !(reason instanceof ExtremalError)) throw reason;
      return this.#end(image, null, reason);
    }
  }

  #end(image: GivenImage, result: Explanation | null, error: ExtremalError | null): Outcome {
    this.#done += 1;
    this.#failed += Number(error !== null);
    this.#tell();
    return { image, name: named(image), result, error };
  }

  #tell(): void {
    const [total, done, failed] = [this.#total, this.#done, this.#failed];
    const run = this.#open.flatMap(({ read, awaited }) => [...awaited].map((place) => read.jobs[place]?.fraction ?? 0));
    const fraction = run.reduce((sum, one) => sum + one, done) / Math.max(1, total);
    this.#asked.onProgress?.({ total, done, failed, fraction });
  }
}

const named = (image: GivenImage): string => isAddress(image) ? String(image) : nameOf(image);

const sizeOf = (image: GivenImage): number =>
  isAddress(image) ? 0 : image instanceof Blob ? image.size : image.byteLength;

const hadNoRoom = (item?: BatchJob): boolean => !item?.job && Boolean(item?.error?.type.endsWith("/queue-full"));

const isAboutImages = ({ errors }: InvalidRequest): boolean =>
  errors.length > 0 && errors.every(({ field }) => ["image", "images"].includes(field.split(".")[0] ?? ""));
