// A job that waits or runs: how far it is, its masks as they sharpen, its curve as it fills in.

import { picture, sized } from "./api.js";
import { liveCurve } from "./curve.js";
import { el, show } from "./dom.js";
import { done, percent, seconds } from "./words.js";

const SIZE = 240;

/** Return what is seen of a job that waits or runs: `{node, state(job), progress(data), preview(data)}`. */
export function watch() {
  const title = el("h1", {}, "Waiting");
  const words = el("p.dim", { role: "status" });
  const bar = el("progress", { max: 1, "aria-label": "Progress" });
  const curve = el("div");
  const masks = el("div.tiles");
  const node = el("div.stack", {}, title, bar, words, masks, curve);
  let hasOriginal = false;

  function state(job) {
    const waits = job.status === "queued";
    title.textContent = waits ? "Waiting for a worker" : "Looking for what the network needs to see";
    if (waits) words.textContent = place(job);
    if (job.links.images && !hasOriginal) original(job);
    if (job.progress) progress(job);
  }

  async function original(job) {
    hasOriginal = true;
    const address = await picture(sized(job.links.images[0], SIZE)).catch(() => null);
    if (address) {
      masks.prepend(el("figure", {}, el("img", { src: address, alt: "The image" }), el("figcaption", {}, "The image")));
    }
  }

  function progress({ progress: now, partial_curve: points }) {
    if (now) {
      bar.value = now.fraction;
      words.textContent = far(now);
    }
    if (points?.length) show(curve, liveCurve(points));
  }

  function preview({ masks: found }) {
    for (const { area, mask } of found) {
      const name = `mask-${area}`;
      const known = [...masks.children].find((one) => one.dataset.name === name);
      if (known) known.querySelector("img").src = mask;
      else masks.insertBefore(tile(name, area, mask), after(area));
    }
  }

  const after = (area) => [...masks.children].find((one) => Number(one.dataset.area) > area) || null;

  function tile(name, area, mask) {
    const figure = el(
      "figure",
      {},
      el("img.masks", { src: mask, alt: `The mask of ${percent(area)} so far` }),
      el("figcaption", {}, percent(area)),
    );
    Object.assign(figure.dataset, { name, area });
    return figure;
  }

  return { node, state, progress, preview };
}

function far({ fraction, eta_s: left }) {
  if (fraction >= 1) return "Checking and drawing what was found";
  return `${done(fraction)}${left === null ? "" : `, about ${seconds(left)} to go`}`;
}

function place({ position, starts_in_s: wait }) {
  if (position === null) return "";
  const before = position === 1 ? "Next in line" : `${position - 1} before it`;
  return wait === null ? before : `${before}, starts in about ${seconds(wait)}`;
}
