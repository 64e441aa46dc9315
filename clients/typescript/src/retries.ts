// Requests that are sent again: where the connection is lost, or the service asks to come back later.

import { type Answer, errorOf, isTemporary } from "./answers.ts";
import { type ServiceError, Unreachable } from "./errors.ts";
import type { Request, Site } from "./site.ts";

const FIRST_PAUSE_S = 0.5;
const LONGEST_PAUSE_S = 8;
const ANSWER_S = 60;

/** A connection that failed, or an answer that didn't come. */
export class Lost extends Error {}

/** Pauses between tries of a request, each twice as long as the one before, for `retrySeconds` of the site. */
export class Retries {
  readonly #site: Site;
  readonly #signal: AbortSignal | undefined;
  #endsAt = 0;
  #next = FIRST_PAUSE_S;

  constructor(site: Site, signal?: AbortSignal) {
    this.#site = site;
    this.#signal = signal;
    this.renew();
  }

  /** Begin anew: the service has answered. */
  renew(): void {
    this.#endsAt = Date.now() + 1000 * this.#site.retrySeconds;
    this.#next = FIRST_PAUSE_S;
  }

  /** Wait after a lost connection; throws `Unreachable` where the time for retries is over. */
  async afterLoss(lost: Lost): Promise<void> {
    const { url, retrySeconds } = this.#site;
    const said = `no answer from ${url} for ${retrySeconds} s (${lost.message}): is the service running, and is this ` +
      "its address? new Client(url) names another one";
    await this.#wait(0, new Unreachable(said, { cause: lost.cause }));
  }

  /** Wait as an answer asks for; throws its error where that is beyond the time for retries. */
  async afterAnswer(error: ServiceError): Promise<void> {
    await this.#wait(error.retryAfter ?? 0, error);
  }

  async #wait(asked: number, error: Error): Promise<void> {
    // Clients that lost the same service shall not all come back at once.
    const pause = 1000 * Math.max(this.#next * (0.5 + Math.random() / 2), asked);
    this.#next = Math.min(2 * this.#next, LONGEST_PAUSE_S);
    if (Date.now() + pause > this.#endsAt) throw error;
    await sleep(pause, this.#signal);
  }
}

/**
 * Return the answer to a request that may be sent again.
 *
 * @param removes whether it removes something: that is done where there is nothing (404) after a lost answer.
 * @throws ServiceError it is a problem that retries can't solve, or didn't.
 * @throws Unreachable no answer came.
 */
export async function call(site: Site, request: Request, signal?: AbortSignal, removes = false): Promise<Answer> {
  const retries = new Retries(site, signal);
  for (let isLost = false;;) {
    try {
      const answer = await send(site, request, signal);
      const error = await errorOf(answer);
      if (!error || (removes && isLost && answer.status === 404)) return answer;
      if (!isTemporary(error)) throw error;
      await retries.afterAnswer(error);
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
      isLost = true;
      await retries.afterLoss(error);
    }
  }
}

/** Send a request once and return its answer, as it begins; throws `Lost` where none comes. */
export async function open(site: Site, request: Request, signal: AbortSignal): Promise<Response> {
  const { method, url, headers, body } = request;
  return await site.fetch(url, { method, headers, signal, redirect: "manual", ...(body && { body }) });
}

/** Run what fetches; its errors are `Lost`, but for an aborted signal's. */
export async function losing<T>(fetches: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await fetches();
  } catch (cause) {
    signal?.throwIfAborted();
    throw new Lost(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

async function send(site: Site, request: Request, signal?: AbortSignal): Promise<Answer> {
  const limit = AbortSignal.timeout(1000 * ANSWER_S);
  return await losing(async () => {
    const response = await open(site, request, signal ? AbortSignal.any([signal, limit]) : limit);
    const { status, headers } = response;
    return { url: request.url, status, headers, content: await response.blob() };
  }, signal);
}

/** Wait so many milliseconds; throws the reason of a signal that is aborted meanwhile. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => (clearTimeout(timer), reject(signal?.reason));
    const timer = setTimeout(() => (signal?.removeEventListener("abort", stop), resolve()), ms);
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
  });
}
