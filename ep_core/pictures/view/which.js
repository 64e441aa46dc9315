// Which mask is looked at: an area's, another one that suffices as well, or the one that tells the class from its rival.

import { el } from "./dom.js";
import { targetIn } from "./predictions.js";
import { whole } from "./seen.js";
import { amount } from "./sides.js";
import { className, done, number, percent, quoted } from "./words.js";

const CONTRAST = "contrast";
const OTHERS = ["or that", "or a third", "or a fourth", "or a fifth"];

/**
 * Return a mask of a result: its files, what it is called, what it keeps in words, and its predictions; `which` is null for
 * the area's own.
 */
export function maskOf(result, { k, which }) {
  if (which === CONTRAST) return against(result);
  if (which) return instead(result, which);
  const point = result.curve[k];
  const { area, mask, overlay } = point;
  return {
    ...told(point),
    key: String(area),
    mask,
    overlay,
    name: `the mask of ${percent(area)}`,
    says: `${percent(area)} of ${whole(result)}: ${kept(result, point)}`,
  };
}

/** Return which place of the curve the mask belongs to; -1 where the result has no such mask. */
export function placeOf(result, which) {
  const one = which === CONTRAST ? result.contrast : result.alternatives?.[numberOf(which)];
  return result.curve.findIndex(({ area }) => area === one?.area);
}

/** Return the choice among a*'s own mask, the others that suffice, and the contrast, `{node, mark(state)}`; `onPick({k, which})`. */
export function whichMask(result, onPick) {
  const best = result.curve.findIndex((one) => one.area === result.optimal_area);
  const others = (result.alternatives || []).map((_, j) => `alternative-${j + 1}`);
  const buttons = [];
  const button = (which, text) => {
    const one = el("button", {
      type: "button",
      value: which ?? "",
      onclick: () => onPick({ k: which ? placeOf(result, which) : best, which }),
    }, text);
    buttons.push(one);
    return one;
  };
  const label = `Regions that suffice for ${quoted(result)}`;
  const either = others.length > 0 &&
    el(
      "div.chips",
      { role: "group", "aria-label": label },
      button(null, "Either this"),
      others.map((which, j) => button(which, OTHERS[j])),
    );
  const why = result.contrast &&
    el(
      "div.chips",
      { role: "group", "aria-label": "Contrast" },
      button(CONTRAST, `Why ${className(result)} and not ${result.contrast.rival.label}`),
    );
  const mark = ({ k, which }) =>
    buttons.forEach((one) =>
      one.setAttribute("aria-pressed", String(one.value ? one.value === which : !which && k === best))
    );
  return { node: buttons.length ? el("div.row.which", {}, either, why) : null, mark };
}

const numberOf = (which) => Number(which.split("-")[1]) - 1;

/** Return what the panel of predictions tells of a mask; `point` has its scores. */
const told = (point) => ({ predictions: point.predictions, share: percent(point.area), point });

/** Return what is left of the target when a mask is kept, and when it is removed: probabilities, or scores where there are none. */
function kept(result, one) {
  const left = (side) => {
    const probability = one[`${side}_probability`] ?? targetIn(one.predictions?.[side], result)?.probability;
    return amount({ probability, score: one[side] }, "score ");
  };
  return `${quoted(result)} ${left("preserve")} when only this is kept, ${left("delete")} when it is removed`;
}

function instead(result, which) {
  const one = result.alternatives[numberOf(which)];
  const share = `${done(one.overlap)} in common with the others`;
  return {
    ...told(one),
    key: which,
    mask: one.mask,
    overlay: one.overlay,
    name: `another mask of ${percent(one.area)}`,
    says: `Another ${percent(one.area)} that suffices: ${kept(result, one)}; ${share}`,
  };
}

function against(result) {
  const { contrast } = result;
  const [target, rival] = [quoted(result), `“${contrast.rival.label}”`];
  const scores = `With only this ${percent(contrast.area)} kept, ${target} scores ${
    number(contrast.target_score)
  } and ${rival} ${number(contrast.rival_score)}`;
  const says = `${scores}: ${number(contrast.preserve)} apart, ${number(contrast.original)} in the whole image`;
  return {
    ...told(contrast),
    key: CONTRAST,
    mask: contrast.mask,
    overlay: contrast.overlay,
    name: `the mask for ${target} and not ${rival}`,
    says,
  };
}
