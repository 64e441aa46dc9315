// The client: what can be asked.

import { jobError, json } from "./answers.ts";
import { Batches, type BatchProgress, type Outcome } from "./batches.ts";
import { follow, isOver, type JobEvent, look } from "./following.ts";
import { classifyForm, jobForm } from "./form.ts";
import type {
  ChannelsArguments,
  ClassChannelsArguments,
  Classified,
  ClassifyOptions,
  CompareArguments,
  ExtremalArguments,
  JobPage,
  JobRead,
  JobState,
  ModelList,
  ModelRead,
  Removed,
  TaskList,
} from "./generated/schemas.ts";
import type { GivenImage } from "./images.ts";
import { randomKey } from "./keys.ts";
import {
  type Channels,
  type ClassChannels,
  type Comparison,
  type Explanation,
  makeResult,
  type Results,
} from "./results.ts";
import { call } from "./retries.ts";
import { begin, follow as request, type Site } from "./site.ts";

/** How the service is reached. */
export interface ClientOptions {
  /** The API key, where the service has keys. */
  key?: string;
  /**
   * Seconds for which a request is sent again where the connection is lost, or the service asks to come back later:
   * 120 by default. Nothing is made twice by that.
   */
  retrySeconds?: number;
  /** Sends requests, in place of the global `fetch`. */
  fetch?: typeof fetch;
}

/** How a call is waited for. */
export interface How {
  /** Called with the job at each change. */
  onProgress?: (job: JobRead) => void;
  /** Ends the call; the job goes on. */
  signal?: AbortSignal;
}

/** Arguments of each task. */
export interface Arguments {
  extremal: ExtremalArguments;
  compare: CompareArguments;
  channels: ChannelsArguments;
  class_channels: ClassChannelsArguments;
}

const RETRY_S = 120;

/** The service. */
export class Client {
  readonly #site: Site;

  /**
   * @param url the service's address.
   * @param options its key, and how long to try.
   * @throws TypeError the address isn't one.
   */
  constructor(url = "http://127.0.0.1:8000", { key, retrySeconds = RETRY_S, fetch: sends }: ClientOptions = {}) {
    const { origin, pathname } = new URL(url);
    const plain = (origin + pathname).replace(/\/+$/, "");
    this.#site = { url: plain, key: key?.trim() || null, retrySeconds, fetch: sends ?? ((...sent) => fetch(...sent)) };
  }

  /**
   * Return the masks of an image: for each area the one that keeps the score highest.
   *
   * @param image a file, its bytes, or an address.
   * @param asked parameters and options of the job: `target`, `areas`, `model`, ...
   * @param how progress, and a signal that ends the call.
   * @throws ServiceError `InvalidRequest` where the image or a parameter can't be used; `JobFailed` where it fails.
   * @throws Unreachable no answer came for `retrySeconds` of the client.
   */
  explain(image: GivenImage, asked: ExtremalArguments = {}, how: How = {}): Promise<Explanation> {
    return this.run("extremal", [image], asked, how);
  }

  /** Return the maps of several methods on an image, scored alike; arguments and errors as of `explain`. */
  compare(image: GivenImage, asked: CompareArguments = {}, how: How = {}): Promise<Comparison> {
    return this.run("compare", [image], asked, how);
  }

  /** Return the channels of a layer that an image's score needs; arguments and errors as of `explain`. */
  channels(image: GivenImage, asked: ChannelsArguments = {}, how: How = {}): Promise<Channels> {
    return this.run("channels", [image], asked, how);
  }

  /** Return the channels of a layer that a class needs, from several images of it; else as `explain`. */
  classChannels(
    images: readonly GivenImage[],
    asked: ClassChannelsArguments = {},
    how: How = {},
  ): Promise<ClassChannels> {
    return this.run("class_channels", images, asked, how);
  }

  /** Return the result of a task by its name; arguments and errors as of `explain`. */
  async run<Task extends keyof Results>(
    task: Task,
    images: readonly GivenImage[],
    asked: Arguments[Task],
    how: How = {},
  ): Promise<Results[Task]> {
    const job = await this.submit(task, images, asked, how);
    return await this.result(job, how) as Results[Task];
  }

  /** Post a job and return it, most often still queued; raises as `explain`. A lost answer makes no second job. */
  async submit<Task extends keyof Results>(
    task: Task,
    images: readonly GivenImage[],
    asked: Arguments[Task],
    { signal }: How = {},
  ): Promise<JobRead> {
    const headers = { "Idempotency-Key": randomKey() };
    const post = begin(this.#site, "create_job", { body: jobForm(task, images, asked), headers });
    return await json(await call(this.#site, post, signal));
  }

  /**
   * Wait for a job, given by itself or by its id, and return its result.
   *
   * @throws JobFailed it has none; `detail` says why.
   * @throws JobRemoved it was removed.
   */
  async result(job: JobRead | string, { onProgress, signal }: How = {}): Promise<Results[keyof Results]> {
    let now = await this.#known(job, signal);
    onProgress?.(now);
    for await (const event of this.watch(now, signal)) {
      now = event.job;
      onProgress?.(now);
    }
    if (!isOver(now)) now = await look(this.#site, now, signal);
    return await this.#fetch(now, signal);
  }

  /**
   * Explain many images, and iterate over what becomes of each, as it is done. Nothing is posted before the first is asked
   * for. An image that can't be explained is an `Outcome` with an `error`.
   *
   * @param images files, bytes and addresses.
   * @param asked parameters and options of all.
   * @param how progress of all, and a signal that ends the call.
   * @throws ServiceError a parameter can't be used, or the queue has no room for `retrySeconds` of the client.
   */
  async *batch(
    images: Iterable<GivenImage>,
    asked: ExtremalArguments = {},
    { onProgress, signal }: { onProgress?: (progress: BatchProgress) => void; signal?: AbortSignal } = {},
  ): AsyncGenerator<Outcome> {
    const fetch = async (job: JobRead) => await this.#fetch(job, signal) as Explanation;
    yield* new Batches(images, { site: this.#site, given: asked, fetch, onProgress, signal }).outcomes();
  }

  /** Iterate over what happens to a job, given by itself or by its id, until it is over; throws as `result`. */
  async *watch(job: JobRead | string, signal?: AbortSignal): AsyncGenerator<JobEvent> {
    yield* follow(this.#site, await this.#known(job, signal), signal);
  }

  /** Return a job as it is now; throws `NotFound` where there is none of this id (any more). */
  async job(id: string, { signal }: How = {}): Promise<JobRead> {
    return await json(await call(this.#site, begin(this.#site, "get_job", { path: { job_id: id } }), signal));
  }

  /** Iterate over the key's jobs, the newest first, page by page. */
  async *jobs(asked: { status?: JobState; task?: string } = {}): AsyncGenerator<JobRead> {
    for (let next = begin(this.#site, "list_jobs", { query: asked });;) {
      const page: JobPage = await json(await call(this.#site, next));
      yield* page.jobs;
      if (!page.next) return;
      next = request(this.#site, page.next);
    }
  }

  /** Stop and remove a job that waits or runs; return whether it did. A finished one stays. */
  async cancel(job: JobRead | string): Promise<boolean> {
    const now = typeof job === "string" ? await this.job(job) : await look(this.#site, job);
    if (isOver(now)) return false;
    await this.delete(now);
    return true;
  }

  /** Remove a job with its images and results; one that runs is stopped. Throws `NotFound` where there is none. */
  async delete(job: JobRead | string): Promise<void> {
    const { links } = await this.#known(job);
    await call(this.#site, request(this.#site, links.self, {}, "DELETE"), undefined, true);
  }

  /** Remove all jobs of the key, with all that is kept of them, and return how many there were. */
  async deleteAll(): Promise<number> {
    const answer = await call(this.#site, begin(this.#site, "delete_jobs", { query: { all: "true" } }));
    return (await json<Removed>(answer)).deleted;
  }

  /** Return the classes that a model sees in an image, the best first: each may be a target. */
  async classify(image: GivenImage, asked: ClassifyOptions = {}, { signal }: How = {}): Promise<Classified> {
    return await json(
      await call(this.#site, begin(this.#site, "classify", { body: classifyForm(image, asked) }), signal),
    );
  }

  /** Return the models that the workers offer, without their labels. */
  async models(): Promise<ModelList> {
    return await json(await call(this.#site, begin(this.#site, "get_models")));
  }

  /** Return a model with its labels, its layers and the perturbations that it takes. */
  async model(name: string): Promise<ModelRead> {
    return await json(await call(this.#site, begin(this.#site, "get_model", { path: { name } })));
  }

  /** Return what can be asked here. */
  async tasks(): Promise<TaskList> {
    return await json(await call(this.#site, begin(this.#site, "get_tasks")));
  }

  /** Return the whole address of a job's page on the dashboard, for a browser. */
  dashboard({ links }: JobRead): string {
    return request(this.#site, links.dashboard).url;
  }

  /** Return the result of a job that is over; throws where it has none. */
  async #fetch(job: JobRead, signal?: AbortSignal): Promise<Results[keyof Results]> {
    if (!job.links.result) throw jobError(job);
    const answer = await call(this.#site, request(this.#site, job.links.result), signal);
    return makeResult(this.#site, await json(answer), job);
  }

  async #known(job: JobRead | string, signal?: AbortSignal): Promise<JobRead> {
    return typeof job === "string" ? await this.job(job, { ...(signal && { signal }) }) : job;
  }
}
