// The line at the top: workers and queue, and whether the API is there at all.

import { Away, get } from "./api.js";
import { el, show } from "./dom.js";

const EVERY_MS = 4000;

/** Keep the line up to date; `onAway(isAway)` is told each time. */
export function statusLine(node, onAway) {
  let last = "";
  async function look() {
    const [text, good] = await state(onAway);
    if (text !== last) show(node, el("span", {}, el(good ? "i.dot" : "i.dot.off", { "aria-hidden": "true" }), text));
    last = text;
    setTimeout(look, EVERY_MS);
  }
  look();
}

async function state(onAway) {
  try {
    const { workers, queued, running } = await get("readyz");
    onAway(false);
    const jobs = [running && `${running} running`, queued && `${queued} waiting`].filter(Boolean).join(", ");
    return [`${workers} ${workers === 1 ? "worker" : "workers"}${jobs ? `, ${jobs}` : ", idle"}`, true];
  } catch (error) {
    onAway(error instanceof Away);
    return [error instanceof Away ? "away" : error.message, false];
  }
}
