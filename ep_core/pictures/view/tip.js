// Numbers where the pointer is in a chart; a click picks what is nearest.

import { el, show } from "./dom.js";

/**
 * Return a chart that tells its numbers: `xs` are the places of its points in the chart's own units, `words(k)` lines of
 * text or elements, `onPick(k)` what a click does.
 */
export function pointable(chart, xs, words, onPick = null) {
  const tip = el("div.tip", { hidden: true, "aria-hidden": "true" });
  const { width } = chart.viewBox.baseVal;

  function nearest(event) {
    const box = chart.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * width;
    return xs.reduce((best, x, k) => (Math.abs(x - at) < Math.abs(xs[best] - at) ? k : best), 0);
  }

  function tell(event) {
    const k = nearest(event);
    show(tip, words(k).map((line) => el("div", {}, line)));
    tip.style.left = `${(100 * xs[k]) / width}%`;
    tip.classList.toggle("left", xs[k] > 0.55 * width);
    tip.hidden = false;
  }

  chart.addEventListener("pointermove", tell);
  chart.addEventListener("pointerdown", tell);
  chart.addEventListener("pointerleave", () => (tip.hidden = true));
  if (onPick) chart.addEventListener("click", (event) => onPick(nearest(event)));
  return el("div.pointable", {}, chart, tip);
}
