// Talking to the API: requests with the key, errors in words, pictures, and a job's events.

const KEY = "ep-key";
const STATES_OVER = ["succeeded", "failed", "canceled"];
const POLL_MS = 1000;
const QUIET_MS = 40000; // the API says something at least every 15 s

export const root = new URL(".", document.baseURI).pathname.replace(/\/$/, "");
export const isOver = (job) => STATES_OVER.includes(job.status);

/** What the API answered in place of what was asked; `problem` as in RFC 9457. */
export class ApiError extends Error {
  constructor(problem) {
    super(problem.detail || problem.title || "The request failed.");
    this.problem = problem;
    this.status = problem.status;
  }
}

/** The API can't be reached. */
export class Away extends Error {
  constructor() {
    super("The service can’t be reached. This page goes on by itself when it is back.");
  }
}

export const key = {
  get: () => sessionStorage.getItem(KEY),
  set: (value) => (value ? sessionStorage.setItem(KEY, value) : sessionStorage.removeItem(KEY)),
};

/** Send a request; returns the response, or throws `ApiError` or `Away`. */
export async function request(path, options = {}) {
  const headers = new Headers(options.headers);
  if (key.get()) headers.set("Authorization", `Bearer ${key.get()}`);
  let response;
  try {
    response = await fetch(path.startsWith("/") ? path : `${root}/${path}`, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Away();
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({ status: response.status, title: response.statusText }));
  if (response.status === 401) document.dispatchEvent(new CustomEvent("key-needed", { detail: problem.detail }));
  throw new ApiError(problem);
}

export const get = async (path, options) => (await request(path, options)).json();
export const remove = (path) => request(path, { method: "DELETE" });

/** Post a form: files, texts and JSON. */
export async function post(path, parts) {
  const form = new FormData();
  for (const [name, value] of Object.entries(parts)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one instanceof Blob) form.append(name, one, one.name || "image");
      else if (one !== null && one !== undefined) form.append(name, typeof one === "object" ? JSON.stringify(one) : one);
    }
  }
  return (await request(path, { method: "POST", body: form })).json();
}

const pictures = new Map();
/** Return a picture's address for `<img>`: fetched with the key, kept while the page lives. */
export function picture(path) {
  if (!pictures.has(path)) {
    const found = request(path).then((response) => response.blob()).then((blob) => URL.createObjectURL(blob));
    found.catch(() => pictures.delete(path));
    pictures.set(path, found);
  }
  return pictures.get(path);
}

/** Follow a job to its end: `on[kind](data)` for `state`, `progress`, `preview`, `deleted`; polls where there is no stream. */
export async function follow(job, on, signal) {
  let lastId = null;
  let fails = 0;
  while (!signal.aborted) {
    try {
      const headers = lastId ? { "Last-Event-ID": lastId } : {};
      const response = await request(job.links.events, { headers, signal });
      if (response.status === 204) return;
      fails = 0;
      for await (const event of events(response.body, signal)) {
        lastId = event.id || lastId;
        on[event.kind]?.(event.data);
        if (event.kind === "deleted" || (event.kind === "state" && isOver(event.data))) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error.status === 404) return on.deleted?.();
      if (error.status === 401) return;
      fails += 1;
      lastId = null;
    }
    await pause(Math.min(5000, 300 + 500 * fails), signal);
    if (fails && (await poll(job, on, signal))) return;
  }
}

async function poll(job, on, signal) {
  try {
    const now = await get(job.links.self, { signal });
    on.state?.(now);
    if (isOver(now)) return true;
  } catch (error) {
    if (error.status === 404) {
      on.deleted?.();
      return true;
    }
  }
  await pause(POLL_MS, signal);
  return false;
}

async function* events(body, signal) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!signal.aborted) {
    const silence = setTimeout(() => reader.cancel(), QUIET_MS);
    const { value, done } = await reader.read();
    clearTimeout(silence);
    if (done) return;
    text += value.replaceAll("\r", "");
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const event = parse(text.slice(0, end));
      text = text.slice(end + 2);
      if (event) yield event;
    }
  }
}

function parse(block) {
  const found = { kind: null, id: null, data: "" };
  for (const line of block.split("\n")) {
    const [, name, value] = line.match(/^(\w+): ?(.*)$/) || [];
    if (name === "event") found.kind = value;
    else if (name === "id") found.id = value;
    else if (name === "data") found.data += value;
  }
  return found.kind ? { ...found, data: JSON.parse(found.data || "null") } : null;
}

const pause = (ms, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
