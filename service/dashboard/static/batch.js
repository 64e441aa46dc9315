// A batch: how each of its images stands, and what was found.

import { get, picture, remove, sized } from "./api.js";
import { el, show } from "./dom.js";
import { taskOf } from "./task.js";
import { className, done, needs } from "./words.js";

const EVERY_MS = 1500;
const SIZE = 320;

/** Show a batch in `stage`; returns what ends that. */
export function batchPage(stage, id, { changed }) {
  const ending = new AbortController();
  const title = el("h1");
  const bar = el("progress", { max: 1, "aria-label": "Progress" });
  const tiles = el("div.tiles.methods");
  const error = el("p.error", { role: "alert" });
  const drop = el("button.danger", { type: "button", onclick: cancel }, "Delete all");
  const known = new Map();

  async function look() {
    if (ending.signal.aborted) return;
    try {
      const batch = await get(`v1/batches/${id}`, { signal: ending.signal });
      error.textContent = "";
      draw(batch);
      if (batch.done) return;
    } catch (problem) {
      if (ending.signal.aborted) return;
      error.textContent = problem.status === 404
        ? "There is no such batch: it was removed, or has expired."
        : problem.message;
      if (problem.status === 404) return;
    }
    setTimeout(look, EVERY_MS);
  }

  function draw(batch) {
    const count = batch.jobs.length;
    document.title = `${done(batch.fraction)} · Extremal perturbations`;
    title.textContent = batch.done ? `${count} images` : `${count} images, ${batch.counts.succeeded || 0} done`;
    bar.hidden = batch.done;
    bar.value = batch.fraction;
    batch.jobs.forEach((one, k) => {
      if (!known.has(k)) tiles.append(tile(one, k));
      known.get(k)(one);
    });
    changed();
  }

  /** Return the tile of an image; what it says follows its job. */
  function tile(one, k) {
    const image = el("img", { alt: one.name || `Image ${k + 1}` });
    const words = el("figcaption");
    let seen = "nothing yet";
    known.set(k, (now) => {
      if (now.status === "running") words.textContent = `running ${done(now.fraction)}`;
      if (now.status === seen) return;
      seen = now.status;
      words.textContent = now.error?.detail || now.status || "removed";
      fill(now, image, words);
    });
    const node = el("figure", {}, image, words);
    return one.job ? el("a.tile", { href: `#/job/${one.job}` }, node) : node;
  }

  async function cancel() {
    try {
      await remove(`v1/batches/${id}`);
      ending.abort();
      location.hash = "#/";
      changed();
    } catch (problem) {
      error.textContent = problem.message;
    }
  }

  show(stage, el("div.stack", {}, title, bar, error, tiles, el("div.row", {}, drop)));
  look();
  return () => ending.abort();
}

/** Show an item's picture and, when it is done, what was found. */
async function fill(item, image, words) {
  if (!item.job) return;
  const job = await get(`v1/jobs/${item.job}`).catch(() => null);
  if (!job) return;
  if (job.found) words.textContent = [className(job.found), needs(job.found)].filter(Boolean).join(": ");
  const source = best(job) || (job.links.images && sized(job.links.images[0], SIZE));
  if (source) picture(source).then((address) => (image.src = address)).catch(() => {});
}

/** Return the picture that says most of what a job has found. */
function best(job) {
  const { links, found } = job;
  const [, overlay] = Object.entries(links.overlays).find(([area]) => Number(area) === found?.optimal_area) || [];
  return overlay || links[taskOf(job).picture];
}
