// Exceptions of the client, which say what to change.

import type { FieldError, JobRead, Problem, ProblemDetails } from "./generated/schemas.ts";

/** Anything that this package throws, but the reason of an aborted `signal`. */
export class ExtremalError extends Error {
  constructor(message?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The service gives no answer, however often it is asked within the client's `retrySeconds`. */
export class Unreachable extends ExtremalError {}

/** An answer that the service doesn't give: another server's, or that of a version too far away. */
export class UnexpectedAnswer extends ExtremalError {}

/** A message that isn't the service's, or is too old. */
export class WebhookInvalid extends ExtremalError {}

/** The job was removed, or cancelled, while it was waited for. */
export class JobRemoved extends ExtremalError {}

/** A problem that the service answers with (RFC 9457). */
export class ServiceError extends ExtremalError {
  /** All of it. */
  readonly problem: ProblemDetails;
  /** Seconds after which to come back; null where the answer doesn't say. */
  readonly retryAfter: number | null;

  constructor(problem: ProblemDetails, retryAfter: number | null = null) {
    super(problem.detail || problem.title);
    this.problem = problem;
    this.retryAfter = retryAfter;
  }

  /** The HTTP status. */
  get status(): number {
    return this.problem.status ?? 0;
  }

  /** The end of the problem's stable type, such as `invalid-input`. */
  get slug(): string {
    return (this.problem.type ?? "about:blank").split("/").at(-1) ?? "";
  }

  /** What is wrong, and what to change. */
  get detail(): string {
    return this.message;
  }

  /** One for each field at fault. */
  get errors(): FieldError[] {
    return [...this.problem.errors ?? []];
  }

  /** The first field at fault, such as `areas.2`; null where it isn't about one. */
  get field(): string | null {
    return this.errors[0]?.field ?? null;
  }

  /** Names that may have been meant, the best first. */
  get nearest(): string[] {
    return [...this.errors[0]?.nearest ?? []];
  }
}

/** The image or a parameter can't be used (413, 415, 422): change it as `detail` says. */
export class InvalidRequest extends ServiceError {}

/** The key is missing, unknown, or doesn't allow this (401, 403). */
export class NotAllowed extends ServiceError {}

/** There is no such job, model or file (404): it never was, was removed, or has expired. */
export class NotFound extends ServiceError {}

/** The service can't take the request now (429, 503), nor within the client's `retrySeconds`. */
export class Unavailable extends ServiceError {}

/** A job that ended without a result; `detail` says why. */
export class JobFailed extends ServiceError {
  /** The job. */
  readonly job: JobRead;

  constructor(problem: Problem, job: JobRead) {
    super(problem);
    this.job = job;
  }
}
