// A job to its end: its events as they come, or, where no stream gets through, its state again and again.

import { get, isOver, request } from "./api.js";

const FIRST_MS = 4000; // the API sends the job's state at once: else something on the way holds the stream back
const QUIET_MS = 40000; // it says something at least every 15 s
const POLL_MS = 1000;
const POLLS = 15; // before the stream is tried again

/** Follow a job to its end: `on[kind](data)` for `state`, `progress`, `preview`, `deleted`. */
export async function follow(job, on, signal) {
  let lastId = null;
  while (!signal.aborted) {
    let wasOpen = false;
    try {
      for await (const event of stream(job, lastId, signal)) {
        wasOpen = true;
        lastId = event.id || lastId;
        await on[event.kind]?.(event.data);
        if (event.kind === "deleted" || (event.kind === "state" && isOver(event.data))) return;
      }
    } catch (error) {
      if (signal.aborted || error.status === 401) return;
      if (error.status === 404) return on.deleted?.();
    }
    if (!wasOpen) lastId = null;
    if (!wasOpen && (await poll(job, on, signal))) return;
    await pause(wasOpen ? 300 : POLL_MS, signal);
  }
}

/** Ask for the state until it is final, `POLLS` times at most; returns whether it is, or nothing is left to follow. */
async function poll(job, on, signal) {
  for (let k = 0; k < POLLS && !signal.aborted; k += 1) {
    const found = await look(job, on, signal);
    if (found !== "goes on") return found === "over";
    await pause(POLL_MS, signal);
  }
  return false;
}

async function look(job, on, signal) {
  try {
    const now = await get(job.links.self, { signal });
    await on.state?.(now);
    return isOver(now) ? "over" : "goes on";
  } catch (error) {
    if (error.status === 404) on.deleted?.();
    return error.status === 404 || error.status === 401 ? "over" : "away";
  }
}

async function* stream(job, lastId, signal) {
  const headers = lastId ? { "Last-Event-ID": lastId } : {};
  const quiet = new AbortController();
  let silence = setTimeout(() => quiet.abort(), lastId ? QUIET_MS : FIRST_MS); // resumed, it may have nothing to say
  try {
    const response = await request(job.links.events, { headers, signal: AbortSignal.any([signal, quiet.signal]) });
    if (response.status === 204) return;
    for await (const text of messages(response.body)) {
      clearTimeout(silence);
      silence = setTimeout(() => quiet.abort(), QUIET_MS);
      const event = parse(text);
      if (event) yield event;
    }
  } finally {
    clearTimeout(silence);
    quiet.abort();
  }
}

/** Yield what stands between empty lines, comments included: they are signs of life. */
async function* messages(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value.replaceAll("\r", "");
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      yield text.slice(0, end);
      text = text.slice(end + 2);
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
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
