// A finished sweep: the image revealed in the order in which it matters, what the network says of it, and what that means.

import { growthBars } from "./bars.js";
import { boxMark, boxOf } from "./box.js";
import { scoreCurve } from "./curve.js";
import { el } from "./dom.js";
import { numbers, sentence } from "./findings.js";
import { masked } from "./masked.js";
import { predictions } from "./predictions.js";
import { areaSlider } from "./slider.js";
import { steadiness } from "./steadiness.js";
import { MODES, SIDES, viewBar } from "./viewbar.js";
import { maskOf, placeOf, whichMask } from "./which.js";

/**
 * Return a result of the task `extremal` to look at: `{answer, steady, look, view, state}`; `answer` is what it found, in a sentence,
 * `steady` how far another run may differ (null: not known), `look` the node with all of the rest.
 *
 * `files` is `{image, open}` as `masked` takes it; `asked` how it is looked at first (area, view, side, mask, texts or missing);
 * `onShow(state)` is told each time it is drawn, and
 * `onChange(state)` each time that it changes; `belowImage` and `belowAll` are nodes that stand there; it plays until
 * `signal` ends that.
 */
export function sweepView(result, { files, asked, onShow, onChange, belowImage = null, belowAll = null, signal }) {
  const state = begin(result, asked);
  const box = boxOf(result.params.target);
  const view = masked(result, files, box && boxMark(box, result.image));
  const step = () => change({ k: (state.k + 1) % result.curve.length, which: null });
  const slider = areaSlider(result, { onPick: choose, onStep: step, signal });
  const bar = viewBar(result, state, change);
  const which = whichMask(result, pick);
  const said = predictions(result);
  const bars = growthBars(result, choose);
  const curve = scoreCurve(result, choose);
  const says = el("output.dim");
  const error = el("span.error", { role: "alert" });
  let turn = 0;

  function choose(k) {
    pick({ k, which: null });
  }

  function pick(mask) {
    slider?.stop();
    change(mask);
  }

  function change(changes) {
    Object.assign(state, changes);
    onChange(state);
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
    says.textContent = mask.says;
    const mine = (turn += 1);
    const tell = (words) => mine === turn && (error.textContent = words);
    view.draw(mask, state).then(() => tell(""), (problem) => tell(problem.message));
    onShow(state);
  }

  draw();
  const differs = steadiness(result);
  const image = el(
    "div.stack",
    {},
    view.node,
    belowImage,
    slider?.node,
    view.hasImage && bar.node,
    which.node,
    says,
    belowAll,
    error,
  );
  return {
    answer: sentence(result),
    steady: differs ? el("p.steadiness.dim", {}, differs) : null,
    look: el("div.look", {}, image, el("div.stack", {}, said?.node, bars?.node, numbers(result, curve.node))),
    view,
    state,
  };
}

/** Return how a result is looked at first: as asked, else a* in the spotlight. */
function begin(result, { area, view, side, mask }) {
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
