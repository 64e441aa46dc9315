// A finished sweep: the image revealed in the order in which it matters, what the network says of it, and what that means.

import { growthBars } from "./bars.js";
import { beside } from "./beside.js";
import { scoreCurve } from "./curve.js";
import { el } from "./dom.js";
import { boxMark } from "./drawing.js";
import { numbers, sentence } from "./findings.js";
import { fits } from "./fits.js";
import { masked } from "./masked.js";
import { place, remember } from "./place.js";
import { predictions } from "./predictions.js";
import { boxOf } from "./region.js";
import { saveBlob, saveFrom } from "./save.js";
import { areaSlider } from "./slider.js";
import { steadiness } from "./steadiness.js";
import { MODES, SIDES, viewBar } from "./viewbar.js";
import { maskOf, placeOf, whichMask } from "./which.js";

/** Return the page of a finished job of the task `extremal`. */
export function lookPage(job, result, signal) {
  const state = begin(result);
  const view = masked(job, result);
  const step = () => change({ k: (state.k + 1) % result.curve.length, which: null });
  const slider = areaSlider(result, { onPick: choose, onStep: step, signal });
  const bar = viewBar(result, state, change);
  const box = boxOf(result.params.target);
  const which = whichMask(result, pick);
  const said = predictions(result);
  const bars = growthBars(result, choose);
  const curve = scoreCurve(result, choose);
  const other = beside(job, result);
  const says = el("output.dim");
  const error = el("span.error", { role: "alert" });

  function choose(k) {
    pick({ k, which: null });
  }

  function pick(mask) {
    slider?.stop();
    change(mask);
  }

  function change(changes) {
    Object.assign(state, changes);
    const { area } = result.curve[state.k];
    remember({ area, view: state.mode, side: state.side, mask: state.which });
    draw();
  }

  function draw() {
    const mask = maskOf(result, state);
    slider?.mark(state.k);
    bar.mark(state);
    which.mark(state);
    said?.mark(mask, state.side);
    bars?.mark(state);
    curve.mark(state.k);
    other.mark(state);
    says.textContent = mask.says;
    view.draw(mask, state).catch((problem) => (error.textContent = problem.message));
  }

  draw();
  const steady = steadiness(result);
  return el(
    "div.stack.result",
    {},
    el("h1.answer", {}, sentence(result)),
    steady && el("p.steadiness.dim", {}, steady),
    el(
      "div.look",
      {},
      el(
        "div.stack",
        {},
        el(
          "div.drawing",
          {},
          view.node,
          box && view.hasImage && boxMark(box, [result.image_size[1], result.image_size[0]]),
        ),
        fits(job, result),
        slider?.node,
        view.hasImage && bar.node,
        which.node,
        says,
        el("div.row", {}, saves(job, result, state, view, error), error),
      ),
      el("div.stack", {}, said?.node, bars?.node, numbers(result, curve.node)),
    ),
    other.node,
  );
}

/** Return buttons that save what is seen. */
function saves(job, result, state, view, error) {
  const name = (what) => `${job.id.slice(0, 8)}-${what}-${maskOf(result, state).key}.png`;
  const mask = () => saveFrom(maskOf(result, state).mask, name("mask"), error);
  const shown = async () => saveBlob(await view.blob(), name(state.mode));
  return [
    el("button.quiet", { type: "button", onclick: mask }, "Save this mask"),
    view.hasImage && el("button.quiet", { type: "button", onclick: shown }, "Save this picture"),
  ];
}

/** Return how a result is looked at: as the address says, else a* in the spotlight. */
function begin(result) {
  const { area, view, side, mask } = place().view;
  const { variant } = result.params;
  const wanted = area ? Number(area) : result.optimal_area;
  const named = mask ? placeOf(result, mask) : -1;
  const k = named < 0 ? result.curve.findIndex((one) => one.area === wanted) : named;
  return {
    k: k < 0 ? result.curve.length - 1 : k,
    which: named < 0 ? null : mask,
    mode: view in MODES ? view : "spotlight",
    side: side in SIDES ? side : variant === "delete" ? "drop" : "keep",
    opacity: 1,
  };
}
