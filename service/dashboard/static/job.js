// One job: watched while it runs, looked at when it is done.

import { follow, get, isOver, picture, remove, request } from "./api.js";
import { el, percent, seconds, show } from "./dom.js";
import { comparePage } from "./compare.js";
import { insidePage } from "./inside.js";
import { lookPage } from "./look.js";
import { liveCurve } from "./curve.js";
import { takeAway } from "./takeaway.js";

const PAGES = { extremal: lookPage, compare: comparePage, channels: insidePage, class_channels: insidePage };

/** Show the job in `stage`; returns what ends that. `again(job, file)` asks anew, `changed()` tells that a job has changed. */
export function jobPage(stage, id, { again, changed }) {
  const ending = new AbortController();
  let watching = null;

  async function begin() {
    show(stage, el("p.dim", {}, "Loading the job …"));
    try {
      const job = await get(`v1/jobs/${id}`, { signal: ending.signal });
      await state(job);
      if (!isOver(job)) follow(job, { state, progress, preview, deleted }, ending.signal);
    } catch (error) {
      if (ending.signal.aborted) return;
      show(stage, failed(error));
      if (!error.status) setTimeout(() => !ending.signal.aborted && begin(), 3000);
    }
  }

  async function state(job) {
    document.title = `${job.status} · Extremal perturbations`;
    if (job.status === "succeeded") {
      const result = await get(job.links.result, { signal: ending.signal });
      show(stage, heading(job, result), PAGES[job.params.task](job, result, ending.signal), takeAway(job, result), actions(job));
    } else if (isOver(job)) {
      show(stage, el("h1", {}, "This job has failed"), el("p.error", { role: "alert" }, job.error?.detail || job.status), actions(job));
    } else {
      watching ||= watch();
      if (!watching.node.isConnected) show(stage, watching.node, actions(job));
      watching.state(job);
    }
    changed();
  }

  const progress = (data) => watching?.progress(data);
  const preview = (data) => watching?.preview(data);

  function deleted() {
    show(stage, el("h1", {}, "This job was removed"), el("p", {}, el("a", { href: "#/" }, "Explain another image")));
    changed();
  }

  function actions(job) {
    const error = el("span.error", { role: "alert" });
    const drop = async () => {
      try {
        await remove(job.links.self);
        if (isOver(job)) location.hash = "#/";
        changed();
      } catch (problem) {
        error.textContent = problem.message;
      }
    };
    return el(
      "div.row",
      { style: { "margin-top": "1.2rem" } },
      job.links.images && el("button", { type: "button", onclick: async () => again(job, await posted(job)) }, "Ask again with changes"),
      el("button.danger", { type: "button", onclick: drop }, isOver(job) ? "Delete" : "Cancel"),
      error,
    );
  }

  begin();
  return () => ending.abort();
}

/** Return the posted image as a file; null where it isn't kept. */
async function posted(job) {
  if (!job.links.images) return null;
  const response = await request(job.links.images[0]).catch(() => null);
  return response && new File([await response.blob()], "image", { type: response.headers.get("content-type") });
}

function failed(error) {
  const text = error.status === 404 ? "There is no such job: it was removed, or has expired." : error.message;
  return el("div.stack", {}, el("p.error", { role: "alert" }, text), el("p", {}, el("a", { href: "#/" }, "Explain an image")));
}

function heading(job, result) {
  const took = job.cached ? "known from before" : `${seconds(result.timing.run_s)} on ${result.engine.device}`;
  return el("p.dim", {}, `${job.params.model} · ${result.target.label || `class ${result.target.index}`} · ${took}`);
}

/** Return what is seen of a job that waits or runs. */
function watch() {
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
    const address = await picture(job.links.images[0]).catch(() => null);
    if (address) masks.prepend(el("figure", {}, el("img", { src: address, alt: "The image" }), el("figcaption", {}, "The image")));
  }

  function progress({ progress: done, partial_curve: points }) {
    if (done) {
      bar.value = done.fraction;
      words.textContent = `${percent(done.fraction)}${done.eta_s === null ? "" : `, about ${seconds(done.eta_s)} to go`}`;
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
    const figure = el("figure", {}, el("img.masks", { src: mask, alt: `The mask of ${percent(area)} so far` }), el("figcaption", {}, percent(area)));
    Object.assign(figure.dataset, { name, area });
    return figure;
  }

  return { node, state, progress, preview };
}

function place({ position, starts_in_s: wait }) {
  if (position === null) return "";
  const before = position === 1 ? "Next in line" : `${position - 1} before it`;
  return wait === null ? before : `${before}, starts in about ${seconds(wait)}`;
}
