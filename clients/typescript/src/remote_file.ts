// A file of a result.

import { call } from "./retries.ts";
import { follow, type Site } from "./site.ts";

/** A file of a result, fetched when it is first asked for. */
export class RemoteFile {
  readonly #site: Site;
  readonly #link: string;
  #content: Promise<Blob> | null = null;

  constructor(site: Site, link: string) {
    this.#site = site;
    this.#link = link;
  }

  /** Its address. */
  get url(): string {
    return follow(this.#site, this.#link).url;
  }

  /** The same mask in the network's own frame, instead of at the image's size. */
  get inFrame(): RemoteFile {
    return new RemoteFile(this.#site, `${this.#link}?frame=model`);
  }

  /** Return the file, with its type: for `URL.createObjectURL`, `createImageBitmap`. It is fetched once. */
  blob(): Promise<Blob> {
    this.#content ??= call(this.#site, follow(this.#site, this.#link)).then(({ content }) => content);
    this.#content.catch(() => this.#content = null); // the next call tries again
    return this.#content;
  }

  /** Return the file's bytes. */
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await (await this.blob()).arrayBuffer());
  }

  /** Return a page or a plot as its text. */
  async text(): Promise<string> {
    return await (await this.blob()).text();
  }

  /** Return a JSON file as its values. */
  async json<T = unknown>(): Promise<T> {
    return JSON.parse(await this.text());
  }
}
