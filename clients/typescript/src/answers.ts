// Answers, and problems in them as exceptions.

import {
  type ExtremalError,
  InvalidRequest,
  JobFailed,
  JobRemoved,
  NotAllowed,
  NotFound,
  ServiceError,
  Unavailable,
  UnexpectedAnswer,
} from "./errors.ts";
import type { JobRead, ProblemDetails } from "./generated/schemas.ts";

/** An answer, with all of its content. */
export interface Answer {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly content: Blob;
}

const PROBLEM = "application/problem+json";
const ELSEWHERE = "about:blank"; // of a problem that isn't the service's
const TEMPORARY = ["unavailable", "rate-limited", "queue-full", "too-many-at-once"];
const OF_A_PROXY = [502, 503, 504];
const KINDS: Record<number, typeof ServiceError> = {
  401: NotAllowed,
  403: NotAllowed,
  404: NotFound,
  413: InvalidRequest,
  415: InvalidRequest,
  422: InvalidRequest,
  429: Unavailable,
  502: Unavailable,
  503: Unavailable,
  504: Unavailable,
};

/**
 * Return the content of an answer that is JSON.
 *
 * @throws UnexpectedAnswer it is something else.
 */
export async function json<T>({ url, status, content }: Answer): Promise<T> {
  try {
    return JSON.parse(await content.text());
  } catch (cause) {
    const said = `${url} answers ${status} without JSON: is this the address of the service?`;
    throw new UnexpectedAnswer(said, { cause });
  }
}

/**
 * Return the exception of an answer that is an error; null where it is none.
 *
 * @throws UnexpectedAnswer it leads elsewhere.
 */
export async function errorOf(answer: Answer): Promise<ServiceError | null> {
  if (answer.status < 200 || (answer.status >= 300 && answer.status < 400)) { // 0: a redirect, as browsers show it
    const where = answer.headers.get("Location") ?? "another address";
    const said = `${answer.url} leads to ${where}: give the client that address, the service itself never redirects`;
    throw new UnexpectedAnswer(said);
  }
  if (answer.status < 400) return null;
  const Kind = KINDS[answer.status] ?? ServiceError;
  return new Kind(await problemOf(answer), retryAfter(answer.headers));
}

/** Return whether the same request may be answered later. */
export const isTemporary = (error: ServiceError): boolean =>
  error.problem.type === ELSEWHERE ? OF_A_PROXY.includes(error.status) : TEMPORARY.includes(error.slug);

/** Return the exception of a job that ended without a result. */
export const jobError = (job: JobRead): ExtremalError =>
  job.error ? new JobFailed(job.error, job) : new JobRemoved(`the job ${job.id} was cancelled`);

async function problemOf(answer: Answer): Promise<ProblemDetails> {
  if (answer.headers.get("Content-Type")?.split(";")[0] === PROBLEM) return await json(answer);
  const detail = `${answer.url} answers ${answer.status}, and not as the service does: is this its address?`;
  return { type: ELSEWHERE, status: answer.status, title: "Not the service's answer", detail };
}

function retryAfter(headers: Headers): number | null {
  const text = headers.get("Retry-After") ?? "";
  return /^\d+$/.test(text) ? Number(text) : null;
}
