// How the image is shown: what is kept or removed, how the rest looks, and how strongly.

import { el, segments, uniqueId } from "./dom.js";
import { ownMode } from "./reveal.js";
import { term } from "./term.js";

/** The views, by their names in the address. */
export const MODES = { spotlight: "Spotlight", blur: "Blur", black: "Black", outline: "Outline", original: "Original" };
/** What is looked at: the mask, or what is left without it. */
export const SIDES = { keep: "Keep only this", drop: "Remove this" };

/** Return the bar, `{node, mark(state)}`; `onChange(changes)` is told what of the state changes. */
export function viewBar(result, state, onChange) {
  const sides = segments("This part", SIDES, (side) => onChange({ side }));
  const modes = segments("The rest of the image", MODES, (mode) => onChange({ mode }));
  const own = [...modes.node.children].find((one) => one.value === ownMode(result));
  own.title = "What the network was shown";
  const strength = el("input", {
    type: "range",
    min: 0,
    max: 1,
    step: 0.05,
    value: state.opacity,
    id: uniqueId("strength"),
    oninput: () => onChange({ opacity: Number(strength.value) }),
  });
  const how = el(
    "span.strength",
    {},
    el("label.dim", { htmlFor: strength.id }, "Strength"),
    term("strength", { isNamed: true }),
    strength,
  );

  function mark({ side, mode }) {
    sides.mark(side);
    modes.mark(mode);
    how.hidden = mode === "original";
  }

  return { node: el("div.row.viewbar", {}, sides.node, modes.node, how), mark };
}
