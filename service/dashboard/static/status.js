// The line at the top: workers and queue, and whether the API is there at all.

import { Away, get } from "./api.js";
import { el, show } from "./dom.js";

const EVERY_MS = 4000;

/** Keep the line up to date; `onAway(isAway)` is told each time. */
export function statusLine(node, onAway) {
  let last = "";
  const told = el("span", {});
  const speed = el("span.speed", { "aria-live": "off" }); // it changes all the time
  show(node, told, speed);
  async function look() {
    const { text, good, sharing } = await state(onAway);
    if (text !== last) show(told, el(good ? "i.dot" : "i.dot.off", { "aria-hidden": "true" }), text);
    last = text;
    speed.textContent = sharing ? inWords(sharing) : "";
    setTimeout(look, EVERY_MS);
  }
  look();
}

async function state(onAway) {
  try {
    const { workers, queued, running, sharing } = await get("readyz");
    onAway(false);
    const jobs = [running && `${running} running`, queued && `${queued} waiting`].filter(Boolean).join(", ");
    const text = `${workers} ${workers === 1 ? "worker" : "workers"}${jobs ? `, ${jobs}` : ", idle"}`;
    return { text, good: true, sharing };
  } catch (error) {
    onAway(error instanceof Away);
    return { text: error instanceof Away ? "away" : error.message, good: false };
  }
}

/** What jobs share that run side by side. */
function inWords({ jobs, masks, steps_per_s, filled }) {
  const together = jobs === 1 ? "1 job" : `${jobs} jobs together`;
  const often = steps_per_s.toFixed(steps_per_s < 10 ? 1 : 0);
  return `${together}: ${Math.round(masks)} masks at a time (${
    Math.round(100 * filled)
  }% full), ${often} steps a second`;
}
