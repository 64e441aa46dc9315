// One job: watched while it runs, looked at when it is done.

import { get, isOver, posted, remove } from "./api.js";
import { el, show } from "./dom.js";
import { follow } from "./follow.js";
import { ADVICE } from "./models.js";
import { pageOf } from "./pages.js";
import { rerun } from "./rerun.js";
import { keptPicture } from "./second.js";
import { takeAway } from "./takeaway.js";
import { taskOf } from "./task.js";
import { removeLater } from "./undo.js";
import { watch } from "./watch.js";
import { className, seconds } from "./words.js";

const PLACE_MS = 4000;

/** Show the job in `stage`; returns what ends that. `again(job, files)` asks anew, `changed()` tells that a job has changed. */
export function jobPage(stage, id, { again, changed }) {
  const ending = new AbortController();
  let [watching, moving] = [null, null];

  async function begin() {
    show(stage, el("p.dim", {}, "Loading the job …"));
    try {
      const job = await get(`v1/jobs/${id}`, { signal: ending.signal });
      await state(job);
      if (!isOver(job)) follow(job, { state, progress, preview, deleted }, ending.signal);
    } catch (error) {
      if (ending.signal.aborted) return;
      show(stage, failed(error));
      if (!error.status || error.status >= 500) setTimeout(() => !ending.signal.aborted && begin(), 3000);
    }
  }

  async function state(job) {
    document.title = `${job.status} · Extremal perturbations`;
    if (job.status === "succeeded") {
      const result = await get(job.links.result, { signal: ending.signal });
      show(
        stage,
        heading(job, result),
        warnings(result),
        pageOf(job, result, ending.signal),
        keptPicture(job),
        takeAway(job, result),
        actions(job),
      );
    } else if (isOver(job)) {
      show(stage, el("div.stack", {}, ended(job), actions(job)));
    } else {
      watching ||= watch(job);
      if (!watching.node.isConnected) show(stage, watching.node, actions(job));
      watching.state(job);
      clearTimeout(moving);
      if (job.status === "queued") moving = setTimeout(move, PLACE_MS);
    }
    changed();
  }

  /** Say its place in the queue anew: of that, there are no events. */
  async function move() {
    const job = await get(`v1/jobs/${id}`, { signal: ending.signal }).catch(() => null);
    if (job?.status === "queued" && !ending.signal.aborted) {
      watching.state(job);
      moving = setTimeout(move, PLACE_MS);
    }
  }

  const progress = (data) => watching?.progress(data);
  const preview = (data) => watching?.preview(data);

  function deleted() {
    show(stage, el("h1", {}, "This job was removed"), el("p", {}, el("a", { href: "#/" }, "Explain another image")));
    changed();
  }

  function actions(job) {
    const error = el("span.error", { role: "alert" });
    const said = (problem) => (error.textContent = problem.message);
    const ask = (how) => posted(job).then((files) => again(job, files, how)).catch(said);
    const retry = () => rerun(job).catch(said);
    const hasFailed = job.status === "failed" && job.links.images;
    const isModel = hasFailed && isOfModel(job);
    const drop = () => (isOver(job) ? dropLater() : remove(job.links.self).then(changed).catch(said));

    function dropLater() {
      const here = location.hash;
      location.hash = "#/";
      const name = `${taskOf(job).title} · ${job.params.model}`;
      removeLater(job.links.self, name, { changed, undone: () => (location.hash = here) });
    }

    return el(
      "div.row",
      { style: { "margin-top": "1.2rem" } },
      hasFailed && el("button", { type: "button", onclick: retry }, "Try again"),
      isModel && el("button", { type: "button", onclick: () => ask({ otherModel: true }) }, "Choose another model"),
      job.links.images && el("button", { type: "button", onclick: () => ask() }, "Edit and rerun"),
      el("button.danger", { type: "button", onclick: drop }, isOver(job) ? "Delete" : "Cancel"),
      error,
    );
  }

  begin();
  return () => ending.abort();
}

const isOfModel = ({ error }) => /model-unavailable$/.test(error?.type ?? "");

/** Return how a job has ended that has no result: what went wrong, and what to do. */
function ended(job) {
  if (job.status !== "failed") return el("h1", {}, "This job was canceled");
  const { model } = job.params;
  return el(
    "div.stack",
    {},
    el("h1", {}, isOfModel(job) ? `${model} can’t be used here` : "This job has failed"),
    el("p.error.sentence", { role: "alert" }, job.error?.detail || job.status),
    isOfModel(job) && el("p", {}, ADVICE),
    !job.links.images && el("p.dim", {}, "Its image wasn’t kept: choose it again to ask anew."),
  );
}

function failed(error) {
  const text = error.status === 404 ? "There is no such job: it was removed, or has expired." : error.message;
  return el(
    "div.stack",
    {},
    el("p.error", { role: "alert" }, text),
    el("p", {}, el("a", { href: "#/" }, "Explain an image")),
  );
}

function warnings({ warnings: found = [] }) {
  return found.length > 0 &&
    el("ul.warnings", { "aria-label": "Warnings" }, found.map(({ detail }) => el("li", {}, detail)));
}

function heading(job, result) {
  const { device } = result.engine;
  const took = job.cached
    ? "cached result"
    : `${seconds(result.timing.run_s)} on ${device === "cpu" ? "the CPU" : device}`;
  return el("p.dim", {}, [job.params.model, className(result), took].join(" · "));
}
