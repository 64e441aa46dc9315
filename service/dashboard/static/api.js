// Talking to the API: requests with the key, errors in words, pictures.

import { onceEach } from "./once.js";

const KEY = "ep-key";
const STATES_OVER = ["succeeded", "failed", "canceled"];

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
    super("The service can’t be reached. Reconnecting automatically…");
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
export const remove = (path, options) => request(path, { ...options, method: "DELETE" });

/** Post a form: files, texts and JSON. */
export async function post(path, parts) {
  const form = new FormData();
  for (const [name, value] of Object.entries(parts)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one instanceof Blob) form.append(name, one, one.name || "image");
      else if (one !== null && one !== undefined) {
        form.append(name, typeof one === "object" ? JSON.stringify(one) : one);
      }
    }
  }
  return (await request(path, { method: "POST", body: form })).json();
}

/** Return a job's posted images as files. */
export async function posted(job) {
  const responses = await Promise.all(job.links.images.map((link) => request(link)));
  return Promise.all(
    responses.map(async (one, k) =>
      new File([await one.blob()], `image ${k + 1}`, { type: one.headers.get("content-type") })
    ),
  );
}

/** Return the target's own picture of a job as a file, by its part; empty where it has none, or none that is kept. */
export async function postedTarget({ links }) {
  const parts = ["target_image", "target_mask"].filter((part) => links[part]);
  const files = await Promise.all(parts.map(async (part) => {
    const answer = await request(links[part]);
    return [part, new File([await answer.blob()], part, { type: answer.headers.get("content-type") })];
  }));
  return Object.fromEntries(files);
}

/** Return the address of a posted image at a size that a page needs, `pixels` for the longer side. */
export const sized = (path, pixels) => `${path}?size=${pixels}`;

/** Return a picture's address for `<img>`: fetched with the key, kept while the page lives. */
export const picture = onceEach(async (path) => URL.createObjectURL(await (await request(path)).blob()));
