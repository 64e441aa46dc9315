// The images of a batch at one area, to be compared: its slider.

import { el, uniqueId } from "./dom.js";
import { percent } from "./words.js";

/** Return the control, `{node, area(), offer(jobs)}`; `onPick(area)` is told which area is looked at, null for the a* of each. */
export function sideBySide(onPick) {
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

  /** Offer the areas that all of the finished jobs have masks of; with fewer than two, there is nothing to compare. */
  function offer(jobs) {
    const known = jobs.map(({ links }) => Object.keys(links.overlays).map(Number));
    const shared = known.length > 1 ? known[0].filter((one) => known.every((others) => others.includes(one))) : [];
    areas = shared.sort((a, b) => a - b);
    node.hidden = !areas.length;
    slider.max = areas.length;
    say();
  }

  say();
  return { node, area, offer };
}
