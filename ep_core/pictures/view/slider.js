// How much of the image is revealed: a slider over the areas of a sweep, and a button that goes through them.

import { el, uniqueId } from "./dom.js";
import { term } from "./term.js";
import { percent } from "./words.js";

const STEP_MS = 900;

/**
 * Return the control, `{node, mark(k), stop()}`; `onPick(k)` is told what the slider picks, `onStep()` each step while it plays,
 * until `signal` ends that. Null where there is one area only.
 */
export function areaSlider(result, { onPick, onStep, signal }) {
  const areas = result.curve.map((one) => one.area);
  if (areas.length < 2) return null;
  const input = el("input", {
    type: "range",
    min: 0,
    max: areas.length - 1,
    step: 1,
    id: uniqueId("area"),
    oninput: () => onPick(Number(input.value)),
  });
  const toggle = () => (timer ? stop() : start());
  const play = el("button.play", { type: "button", "aria-pressed": "false", onclick: toggle }, "Play");
  let timer = null;

  function start() {
    timer = setInterval(() => (signal.aborted ? stop() : onStep()), STEP_MS);
    tell(true);
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    tell(false);
  }

  function tell(plays) {
    play.setAttribute("aria-pressed", String(plays));
    play.textContent = plays ? "Pause" : "Play";
  }

  function mark(k) {
    input.value = k;
    input.setAttribute("aria-valuetext", percent(areas[k]));
  }

  const label = el("label", { htmlFor: input.id }, "How much to reveal");
  const head = el("div.row.spread", {}, label, result.optimal_area !== null && term("a*"));
  return { node: el("div.row.slide", {}, play, el("div.slider", {}, head, input, ticks(result))), mark, stop };
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
