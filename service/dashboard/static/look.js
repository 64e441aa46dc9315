// A finished sweep: the image revealed in the order in which it matters, its scores, and what that means.

import { growthBars, scoreCurve } from "./curve.js";
import { el, segments, uniqueId } from "./dom.js";
import { boxMark } from "./drawing.js";
import { numbers, sentence } from "./findings.js";
import { masked } from "./masked.js";
import { place, remember } from "./place.js";
import { boxOf } from "./region.js";
import { ownMode } from "./reveal.js";
import { saveBlob, saveFrom } from "./save.js";
import { steadiness } from "./steadiness.js";
import { maskOf, placeOf, whichMask } from "./which.js";
import { percent } from "./words.js";

const MODES = { blur: "Blur", black: "Black", outline: "Outline", original: "Original" };
const SIDES = { keep: "The mask kept", drop: "Taken away" };
const STEP_MS = 900;

/** Return the page of a finished job of the task `extremal`. */
export function lookPage(job, result, signal) {
  const areas = result.curve.map((one) => one.area);
  const state = begin(result);
  const view = masked(job, result);
  const box = boxOf(result.params.target);
  const curve = scoreCurve(result, choose);
  const bars = growthBars(result, choose);
  const slider = el("input", {
    type: "range",
    min: 0,
    max: areas.length - 1,
    step: 1,
    id: uniqueId("area"),
    oninput: () => choose(Number(slider.value)),
  });
  const opacity = el("input", {
    type: "range",
    min: 0,
    max: 1,
    step: 0.05,
    value: state.opacity,
    id: uniqueId("opacity"),
    oninput: () => change({ opacity: Number(opacity.value) }),
  });
  const modes = segments("Outside of it", MODES, (mode) => change({ mode }));
  const sides = segments("The mask", SIDES, (side) => change({ side }));
  const which = whichMask(result, pick);
  const play = el(
    "button",
    { type: "button", "aria-pressed": "false", onclick: () => (timer ? stop() : start()) },
    "Play",
  );
  const says = el("output.dim");
  const said = el("span.error", { role: "alert" });
  let timer = null;

  function choose(k) {
    pick({ k, which: null });
  }

  function pick(mask) {
    stop();
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
    slider.value = state.k;
    slider.setAttribute("aria-valuetext", percent(areas[state.k]));
    for (
      const [control, value] of [[modes, state.mode], [sides, state.side], [curve, state.k], [bars, state.k], [
        which,
        state,
      ]]
    ) control.mark(value);
    says.textContent = mask.says;
    view.draw(mask, state).catch((error) => (said.textContent = error.message));
  }

  function start() {
    timer = setInterval(
      () => (signal.aborted ? stop() : change({ k: (state.k + 1) % areas.length, which: null })),
      STEP_MS,
    );
    play.setAttribute("aria-pressed", "true");
    play.textContent = "Pause";
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    play.setAttribute("aria-pressed", "false");
    play.textContent = "Play";
  }

  const name = (what) => `${job.id.slice(0, 8)}-${what}-${maskOf(result, state).key}.png`;
  const saves = [
    el(
      "button.quiet",
      { type: "button", onclick: () => saveFrom(maskOf(result, state).mask, name("mask"), said) },
      "Save this mask",
    ),
    view.hasImage &&
    el("button.quiet", {
      type: "button",
      onclick: async () => saveBlob(await view.blob(), name(state.mode)),
    }, "Save this picture"),
  ];
  const steady = steadiness(result);
  draw();
  return el(
    "div.stack",
    {},
    el("h1.answer", {}, sentence(result)),
    steady && el("p.steadiness.dim", {}, steady),
    el(
      "div.look",
      {},
      el(
        "div.stack",
        {},
        el("div.drawing", {}, view.node, box && view.hasImage && boxMark(box, [result.image_size[1], result.image_size[0]])),
        el(
          "div.slider",
          {},
          el("label", { htmlFor: slider.id }, "Area: from what matters most to all"),
          slider,
          ticks(result),
        ),
        which.node,
        says,
        view.hasImage && el("div.row", {}, modes.node, sides.node),
        el(
          "div.row",
          {},
          play,
          view.hasImage && el("span.strength", {}, el("label.dim", { htmlFor: opacity.id }, "Strength"), opacity),
        ),
        el("div.row", {}, saves, said),
      ),
      el(
        "div.stack",
        {},
        curve.node,
        el("figure", {}, bars.node, el("figcaption", {}, "What each area keeps of the score, 125% at most")),
        numbers(result),
      ),
    ),
  );
}

/** Return how a result is looked at: as the address says, else a* under the job's own perturbation. */
function begin(result) {
  const { area, view, side, mask } = place().view;
  const { variant } = result.params;
  const wanted = area ? Number(area) : result.optimal_area;
  const named = mask ? placeOf(result, mask) : -1;
  const k = named < 0 ? result.curve.findIndex((one) => one.area === wanted) : named;
  return {
    k: k < 0 ? result.curve.length - 1 : k,
    which: named < 0 ? null : mask,
    mode: view in MODES ? view : ownMode(result),
    side: side in SIDES ? side : variant === "delete" ? "drop" : "keep",
    opacity: 1,
  };
}

/** Return the areas under the slider, a* among them. */
function ticks({ curve, optimal_area: best }) {
  const words = ({ area }) => el(area === best ? "b" : "span", {}, `${percent(area)}${area === best ? " a*" : ""}`);
  return el(
    "div.ticks",
    { "aria-hidden": "true" },
    curve.length > 10 ? [curve[0], curve.at(-1)].map(words) : curve.map(words),
  );
}
