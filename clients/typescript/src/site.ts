// The service as this client reaches it, and the requests to it.

import { UnexpectedAnswer } from "./errors.ts";
import { type Operation, OPERATIONS } from "./generated/operations.ts";

/** The service. */
export interface Site {
  /** Its address, without a slash at its end. */
  readonly url: string;
  /** The API key, where it has keys. */
  readonly key: string | null;
  /** Seconds for which a request is sent again that gets no answer, or is told to come back later. */
  readonly retrySeconds: number;
  /** Sends requests. */
  readonly fetch: typeof fetch;
}

/** A request: to send it again is to send the same. */
export interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: FormData;
}

/** What fills a request. */
export interface Filling {
  path?: Record<string, string>;
  query?: Record<string, string | null | undefined>;
  body?: FormData;
  headers?: Record<string, string>;
}

/** Return the request of an operation at which a client begins. */
export function begin(
  site: Site,
  operation: Operation,
  { path = {}, query = {}, body, headers }: Filling = {},
): Request {
  const [method, pattern] = OPERATIONS[operation];
  const segment = (name: string) => encodeURIComponent(path[name] ?? "").replaceAll("%3A", ":").replaceAll("%2F", "/");
  const address = pattern.replace(/\{(\w+)\}/g, (_, name: string) => segment(name));
  const asked = new URLSearchParams(Object.entries(query).filter((one): one is [string, string] => one[1] != null));
  const url = `${site.url}${address}${asked.size ? `?${asked}` : ""}`;
  return { method, url, headers: { ...authorization(site), ...headers }, ...(body && { body }) };
}

/**
 * Return the request of a link, as answers have it: a path from the root of the host.
 *
 * @throws UnexpectedAnswer it leads to another host, which shall not get the key.
 */
export function follow(site: Site, link: string, headers: Record<string, string> = {}, method = "GET"): Request {
  const url = new URL(link, site.url);
  if (url.origin !== new URL(site.url).origin) {
    throw new UnexpectedAnswer(`a link of ${site.url} leads to ${url}: another host, so that it isn't followed`);
  }
  return { method, url: url.href, headers: { ...authorization(site), ...headers } };
}

const authorization = ({ key }: Site): Record<string, string> => key ? { Authorization: `Bearer ${key}` } : {};
