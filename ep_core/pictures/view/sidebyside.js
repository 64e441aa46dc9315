// Several images at one area, to be compared: its slider.

import { el, uniqueId } from "./dom.js";
import { percent } from "./words.js";

/**
 * Return the control, `{node, area(), offer(known)}`; `onPick(area)` is told which area is looked at, null for the a* of each.
 * It is there for `least` images or more.
 */
export function sideBySide(onPick, { least = 2 } = {}) {
  const slider = el("input", { type: "range", min: 0, step: 1, value: 0, id: uniqueId("area"), oninput: pick });
  const words = el("output.dim");
  const label = el("label", { htmlFor: slider.id }, "How much to reveal, in all of them");
  const node = el("div.slider", { hidden: true }, label, slider, words);
  let areas = [];

  const area = () => (slider.value === "0" ? null : areas[Number(slider.value) - 1]);

  function pick() {
    say();
    onPick(area());
  }

  function say() {
    const text = area() === null ? "Each at the smallest area that suffices" : `${percent(area())} of each image`;
    words.textContent = text;
    slider.setAttribute("aria-valuetext", text);
  }

  /** Offer the areas that all images have; `known` are those of each. */
  function offer(known) {
    const shared = known.length >= least ? known[0].filter((one) => known.every((others) => others.includes(one))) : [];
    areas = shared.sort((a, b) => a - b);
    node.hidden = !areas.length;
    slider.max = areas.length;
    say();
  }

  say();
  return { node, area, offer };
}
