// A job that waits or runs: how far it is, its photograph coming into focus, its masks and its curve, or its methods one by one.

import { liveCurve } from "./curve.js";
import { el, show } from "./dom.js";
import { focusView } from "./focus.js";
import { gathering } from "./gathering.js";
import { bestSoFar } from "./sofar.js";
import { written } from "./target.js";
import { taskOf } from "./task.js";
import { howFar } from "./togo.js";
import { done, percent, quoted, seconds } from "./words.js";

const STAGES = {
  walks: "coarse masks",
  masks: "the masks sharpen",
  rivals: "comparing them with other methods’ masks",
  contrast: "looking for what tells it from its rival",
  alternatives: "looking for another region that suffices",
  scoring: "scoring the top areas of all methods",
};
const FIRST = {
  extremal: "Coarse masks of all areas first: they sharpen as you watch.",
  compare: "Each method’s map appears as it is done: the image, dimmed where the map finds nothing.",
};
const VIEWS = { extremal: sweepView, compare: gathering };

/** Return what is seen of a job that waits or runs: `{node, state(job), progress(data), preview(data)}`. */
export function watch(job) {
  const title = el("h1");
  const words = el("p.dim", { role: "status" });
  const bar = el("progress", { max: 1, "aria-label": "Progress" });
  const best = el("p.best", {}, FIRST[job.params.task]);
  const view = (VIEWS[job.params.task] || curveView)(job);
  const node = el("div.stack.watching", {}, title, best, bar, words, view.node);
  const finding = bestSoFar(job.params);
  let asked = job;

  function state(now) {
    asked = now;
    if (now.status === "queued") words.textContent = queued(now);
    else if (!now.progress) words.textContent = "Starting…";
    title.textContent = now.status === "queued" ? "Waiting for a worker" : doing(now);
    if (now.progress) progress(now);
  }

  function progress({ progress: now, partial_curve: points }) {
    if (!now) return;
    bar.value = now.fraction;
    words.textContent = far(now);
    document.title = `${done(now.fraction)} · Extremal perturbations`;
    title.textContent = doing({ ...asked, progress: now });
    const found = finding(now, points || []);
    if (found) show(best, found);
    view.progress(now, points || []);
  }

  const preview = (found) => view.preview?.(found);

  return { node, state, progress, preview };
}

/** Return the view of a sweep: the photograph, a place for each area from the start, and the curve. */
function sweepView(job) {
  const { areas } = job.params;
  const focus = focusView();
  const curve = el("div.curve-place");
  const places = new Map(areas.map((area) => [area, placeOf(area)]));
  const node = el(
    "div.look",
    {},
    focus.node,
    el(
      "div.stack",
      {},
      el(
        "div.tiles.places",
        { role: "group", "aria-label": "Masks so far" },
        [...places.values()].map((one) => one.button),
      ),
      curve,
    ),
  );
  focus.begin(job);

  function placeOf(area) {
    const image = el("img.masks", { alt: "", hidden: true });
    const words = el("span.dim", {}, "–");
    const button = el(
      "button.place",
      { type: "button", "aria-pressed": "false", disabled: true, onclick: () => pick(area) },
      el("span.place-picture", {}, image),
      el("span", {}, percent(area)),
      words,
    );
    return { button, image, words };
  }

  /** Look at one area's mask; again, or at all of them. */
  function pick(area) {
    const { button } = places.get(area);
    const isOn = button.getAttribute("aria-pressed") === "true";
    for (const one of places.values()) one.button.setAttribute("aria-pressed", String(!isOn && one.button === button));
    focus.pick(isOn ? null : area);
  }

  function progress({ subject }, points) {
    if (subject) focus.learn(subject);
    if (points.length) show(curve, liveCurve(points));
    for (const point of points) {
      if (places.has(point.area) && subject) places.get(point.area).words.textContent = keeps(point, subject);
    }
  }

  function preview({ masks = [] }) {
    for (const { area, mask } of masks) {
      if (!places.has(area)) continue;
      const { button, image } = places.get(area);
      Object.assign(image, { src: mask, alt: `The mask of ${percent(area)} so far`, hidden: false });
      button.disabled = false;
    }
    focus.masks(masks).catch(() => {}); // the next ones come in a moment
  }

  return { node, progress, preview };
}

/** Return what an area keeps of the score, or leaves of it when it is removed; a dash where that is no share of it. */
function keeps({ preserve, delete: left }, { scores: { original } }) {
  const score = preserve ?? left;
  if (score === null || original <= 0) return "–";
  return `${preserve === null ? "leaves" : "keeps"} ${done(Math.max(0, score / original))}`;
}

/** Return the view of a task without masks on the photograph: its curve. */
function curveView() {
  const node = el("div.curve-place");
  return { node, progress: (_, points) => points.length > 0 && show(node, liveCurve(points)) };
}

/** Return what a running job does: the network and the class named, as far as they are known. */
function doing({ params, progress: now }) {
  const { task, model, target, methods, layer } = params;
  const known = now?.subject ? quoted(now.subject) : target && `“${written(target)}”`;
  const needs = `${model} needs${known ? ` for ${known}` : ""}…`;
  if (task === "extremal") return `Finding what ${needs}`;
  if (task === "compare") return `Comparing ${methods.length} methods${known ? ` on ${known}` : ""}, by ${model}…`;
  return layer ? `Finding the channels of ${layer} that ${needs}` : `${taskOf({ params }).title}: ${model}…`;
}

function far({ fraction, eta_s: left, stage }) {
  if (fraction >= 1) return "Checking and drawing what was found";
  const now = STAGES[stage] || (stage && `${stage.replaceAll("_", " ")} runs`);
  return `${howFar(fraction, left)}${now ? `: ${now}` : ""}`;
}

/** Return how many jobs are ahead of one that waits, and how long that takes. */
function queued({ position, starts_in_s: wait }) {
  if (position === null) return "";
  const jobs = `${position - 1} ${position === 2 ? "job" : "jobs"} ahead`;
  const before = position === 1 ? "Next in line" : jobs;
  return wait === null ? before : `${before}, starts in about ${seconds(wait)}`;
}
