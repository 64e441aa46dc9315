// A finished sweep: the image revealed in the order in which it matters, its scores, and what that means.

import { picture } from "./api.js";
import { growthBars, scoreCurve } from "./curve.js";
import { el, number, percent, show, uniqueId } from "./dom.js";
import { alphaMask, ownMode, revealer } from "./reveal.js";

const MODES = { blur: "Blur", black: "Black", outline: "Outline", original: "Original" };

/** Return the page of a finished job of the task `extremal`. */
export function lookPage(job, result) {
  const areas = result.curve.map((one) => one.area);
  const state = { k: Math.max(0, areas.indexOf(result.optimal_area)), mode: ownMode(result), opacity: 1 };
  const view = el("div");
  const says = el("output.dim");
  const slider = el("input", { type: "range", min: 0, max: areas.length - 1, step: 1, value: state.k, id: uniqueId("area"), oninput: () => pick(Number(slider.value)) });
  const opacity = el("input", { type: "range", min: 0, max: 1, step: 0.05, value: 1, id: uniqueId("opacity"), oninput: () => change({ opacity: Number(opacity.value) }) });
  const curve = scoreCurve(result, pick);
  const bars = growthBars(result, pick);
  const modes = el("div.segments", { role: "group", "aria-label": "Outside the mask" }, Object.entries(MODES).map(([mode, text]) => el("button", { type: "button", value: mode, "aria-pressed": String(mode === state.mode), onclick: () => change({ mode }) }, text)));
  const masks = new Map();
  let canvas = null;

  function pick(k) {
    slider.value = k;
    change({ k });
  }

  function change(changes) {
    Object.assign(state, changes);
    const point = result.curve[state.k];
    for (const button of modes.children) button.setAttribute("aria-pressed", String(button.value === state.mode));
    curve.mark(state.k);
    bars.mark(state.k);
    slider.setAttribute("aria-valuetext", percent(point.area));
    says.textContent = `${percent(point.area)} of the image: score ${number(point.preserve)} when only this is kept (${percent(point.preserve_probability)}), ${number(point.delete)} when it is taken away`;
    draw();
  }

  function maskOf(k) {
    if (!masks.has(k)) masks.set(k, picture(job.links.masks[Object.keys(job.links.masks)[k]]).then(alphaMask));
    return masks.get(k);
  }

  async function draw() {
    if (!canvas) return;
    const k = state.k;
    const mask = await maskOf(k).catch(() => null);
    if (k === state.k) canvas.draw({ mask, mode: state.mode, opacity: state.opacity });
  }

  async function load() {
    if (!job.links.images) return show(view, await overlays(job, state.k)); // posted without `keep_images`
    canvas = await revealer(await picture(job.links.images[0]), result, await maskOf(areas.length - 1));
    canvas.canvas.setAttribute("role", "img");
    canvas.canvas.setAttribute("aria-label", "The image under the mask of the chosen area");
    show(view, canvas.canvas);
    draw();
  }

  load().catch((error) => show(view, el("p.error", { role: "alert" }, error.message)));
  change({});
  return el(
    "div.stack",
    {},
    el("h1.answer", {}, sentence(result)),
    el(
      "div.look",
      {},
      el("div.stack", {}, view, el("div.slider", {}, el("label", { htmlFor: slider.id }, "Area: from what matters most to all"), slider, says), el("div.row", {}, modes, el("span.strength", {}, el("label.dim", { htmlFor: opacity.id }, "Strength"), opacity))),
      el("div.stack", {}, curve.node, el("figure", {}, bars.node, el("figcaption", {}, "The score that each area preserves")), details(result)),
    ),
  );
}

/** Return what a result means, in one sentence. */
function sentence(result) {
  const name = result.target.label ? `“${result.target.label}”` : `class ${result.target.index}`;
  const share = result.optimal_area === null ? null : el("b", {}, percent(result.optimal_area));
  if (result.params.variant === "delete") {
    return share ? [share, " of the image taken away destroys the score of ", name, "."] : ["None of these areas taken away destroys the score of ", name, "."];
  }
  return share ? [share, " of the image suffices for ", name, "."] : ["None of these areas suffices for ", name, ": the score stays below the threshold."];
}

async function overlays(job, k) {
  const names = Object.keys(job.links.overlays);
  return el("img.picture", { src: await picture(job.links.overlays[names[k]]), alt: `The mask of ${percent(Number(names[k]))} over the image` });
}

function details(result) {
  const rows = result.curve.map((one) => el("tr", {}, el("td.num", {}, percent(one.area)), el("td.num", {}, number(one.preserve)), el("td.num", {}, percent(one.preserve_probability)), el("td.num", {}, number(one.delete))));
  const head = ["Area", "Kept", "Probability", "Taken away"].map((text) => el("th.num", { scope: "col" }, text));
  const { original, perturbed } = result.scores;
  return el("details", {}, el("summary", {}, "Numbers"), el("div.scroll", {}, el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows))), el("p.dim", {}, `The whole image scores ${number(original)}, the fully perturbed one ${number(perturbed)}. ${result.monotonic ? "Larger areas never score less, up to a*." : "Some larger area scores less than a smaller one."}`));
}
