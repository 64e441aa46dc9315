// Client of the extremal perturbations service: which part of an image does a network need to see?
//
//   const client = new Client("http://127.0.0.1:8000");
//   const result = await client.explain(file, { target: "bus" });
//   const mask = await result.masks[result.optimal_area].blob();
//
// It needs `fetch` alone: browsers, node and deno have it.

export type { BatchProgress, Outcome } from "./batches.ts";
export { Client, type ClientOptions, type How } from "./client.ts";
export type { EventKind, JobEvent } from "./following.ts";
export type { GivenFile, GivenImage } from "./images.ts";
export {
  ExtremalError,
  InvalidRequest,
  JobFailed,
  JobRemoved,
  NotAllowed,
  NotFound,
  ServiceError,
  Unavailable,
  UnexpectedAnswer,
  Unreachable,
  WebhookInvalid,
} from "./errors.ts";
export type { Channels, ClassChannels, Comparison, Explanation, Files, Result } from "./results.ts";
export type { RemoteFile } from "./remote_file.ts";
export { verifyWebhook, type WebhookMessage } from "./webhooks.ts";
export type * from "./generated/schemas.ts";
