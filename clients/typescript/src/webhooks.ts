// Webhooks that the service signs (https://www.standardwebhooks.com).

import { WebhookInvalid } from "./errors.ts";

/** A message about a job that has ended. */
export interface WebhookMessage {
  /** The same where a message comes twice. */
  readonly id: string;
  readonly type: "job.succeeded" | "job.failed";
  readonly jobId: string;
  /** `id`, `status`, `task`, `created_at`, `finished_at`, `links`, and of a failed job `error`. */
  readonly data: Record<string, unknown>;
}

const TOLERANCE_S = 300;
const NAMES = ["webhook-id", "webhook-timestamp", "webhook-signature"];

/**
 * Return a message that the service has signed.
 *
 * @param headers of the request that brought it.
 * @param body its content, unchanged.
 * @param secret what the operator gave you: `whsec_...`.
 * @param now seconds since 1970; by default the clock's.
 * @throws WebhookInvalid it isn't the service's, or older or newer than five minutes.
 */
export async function verifyWebhook(
  headers: HeadersInit,
  body: string | Uint8Array,
  secret: string,
  now: number = Date.now() / 1000,
): Promise<WebhookMessage> {
  const given = new Headers(headers);
  const missing = NAMES.filter((name) => !given.has(name));
  if (missing.length) throw new WebhookInvalid(`the message has no ${missing.join(", ")}: it isn't one of a webhook`);
  const [id, sent, signatures] = NAMES.map((name) => given.get(name) ?? "") as [string, string, string];
  const content = typeof body === "string" ? new TextEncoder().encode(body) : body;
  if (!await isSigned(signatures, id, sent, content, secret)) {
    throw new WebhookInvalid("the signature isn't that of this secret and this body: verify the bytes as they came in");
  }
  if (!/^\d+$/.test(sent) || !(Math.abs(now - Number(sent)) <= TOLERANCE_S)) {
    throw new WebhookInvalid(`the message is of ${sent}, and ${TOLERANCE_S} s old at most are taken: check the clock`);
  }
  const { type, data } = JSON.parse(new TextDecoder().decode(content));
  return { id, type, jobId: data.id, data };
}

/** Return whether one of several signatures of the first version is right: there are two while a secret is replaced. */
async function isSigned(
  signatures: string,
  id: string,
  sent: string,
  body: Uint8Array,
  secret: string,
): Promise<boolean> {
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", decoded(secret.trim().replace(/^whsec_/, "")), hmac, false, [
    "verify",
  ]);
  const signed = await new Blob([`${id}.${sent}.`, body as BlobPart]).arrayBuffer();
  for (const [version, text] of signatures.split(/\s+/).map((one) => one.split(",", 2))) {
    const signature = version === "v1" && text && /^[\w+/]+=*$/.test(text) ? decoded(text) : null;
    if (signature && await crypto.subtle.verify("HMAC", key, signature, signed)) return true;
  }
  return false;
}

const decoded = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
