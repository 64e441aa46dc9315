// A job followed to its end by its events, over lost connections too.

import { errorOf, isTemporary, json } from "./answers.ts";
import { JobRemoved, ServiceError } from "./errors.ts";
import { type Message, messages } from "./events.ts";
import type { JobProgress, JobRead, PartialPoint } from "./generated/schemas.ts";
import { call, losing, Lost, open, Retries } from "./retries.ts";
import { follow as request, type Site } from "./site.ts";

/** What an event is about. */
export type EventKind = "state" | "progress" | "preview";

/** Something that happened to a job. */
export interface JobEvent {
  readonly kind: EventKind;
  /** The job as it is since then. */
  readonly job: JobRead;
  /** Content of the event: of a `preview` the masks that are worked on, small PNGs as data URLs. */
  readonly data: unknown;
}

const QUIET_S = 45; // one without news has a comment each 15 s
const KINDS: string[] = ["state", "progress", "preview"] satisfies EventKind[];

/** Return whether a job is over. */
export const isOver = ({ status }: JobRead): boolean => ["succeeded", "failed", "canceled"].includes(status);

/**
 * Yield a job's events and return it as it ends. The stream goes on after the last known event wherever it breaks off.
 *
 * @throws JobRemoved it was removed.
 * @throws ServiceError, Unreachable as `call`.
 */
export async function* follow(site: Site, job: JobRead, signal?: AbortSignal): AsyncGenerator<JobEvent, JobRead> {
  const retries = new Retries(site, signal);
  let lastId: string | null = null;
  while (!isOver(job)) {
    try {
      for await (const message of stream(site, job, lastId, retries, signal)) {
        lastId = message.id ?? lastId;
        job = changed(job, message);
        if (KINDS.includes(message.kind)) yield { kind: message.kind as EventKind, job, data: message.data };
      }
      if (!isOver(job)) throw new Lost("the stream of events ended before the job");
    } catch (error) {
      if (error instanceof Lost) await retries.afterLoss(error);
      else if (error instanceof ServiceError && isTemporary(error)) await retries.afterAnswer(error);
      else throw error;
    }
  }
  return job;
}

/** Return a job as it is now. */
export async function look(site: Site, job: JobRead, signal?: AbortSignal): Promise<JobRead> {
  return await json(await call(site, request(site, job.links.self), signal));
}

/** Yield the messages of one stream; of a stream that has nothing to come, the job's state as the last. */
async function* stream(
  site: Site,
  job: JobRead,
  lastId: string | null,
  retries: Retries,
  signal?: AbortSignal,
): AsyncGenerator<Message> {
  const quiet = new AbortController();
  let timer = setTimeout(() => quiet.abort(), 1000 * QUIET_S);
  const renew = () => {
    retries.renew();
    clearTimeout(timer);
    timer = setTimeout(() => quiet.abort(), 1000 * QUIET_S);
  };
  const headers = { Accept: "text/event-stream", ...(lastId && { "Last-Event-ID": lastId }) };
  const asked = request(site, job.links.events ?? `${job.links.self}/events`, headers);
  const stop = signal ? AbortSignal.any([signal, quiet.signal]) : quiet.signal;
  try {
    const response = await losing(() => open(site, asked, stop), signal);
    if (response.status === 204) { // nothing has come after the last event, and nothing will
      yield { kind: "state", data: await look(site, job, signal), id: lastId };
    } else if (response.ok && response.body) {
      const found = messages(response.body, renew);
      for (let next = await losing(() => found.next(), signal); !next.done;) {
        yield next.value;
        next = await losing(() => found.next(), signal);
      }
    } else {
      const { status, headers } = response;
      const error = await errorOf({ url: asked.url, status, headers, content: await losing(() => response.blob()) });
      if (error) throw error;
      throw new Lost(`${asked.url} answers ${status}`);
    }
  } finally {
    clearTimeout(timer);
    quiet.abort();
  }
}

function changed(job: JobRead, { kind, data }: Message): JobRead {
  if (kind === "deleted") throw new JobRemoved(`the job ${job.id} was removed while it was waited for`);
  if (kind === "state") return data as JobRead;
  if (kind !== "progress") return job;
  const { progress, partial_curve } = data as { progress: JobProgress; partial_curve: PartialPoint[] };
  return { ...job, progress, partial_curve };
}
