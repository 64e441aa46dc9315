// Which mask is looked at: an area's, another one that suffices as well, or the one that tells the class from its rival.

import { el } from "./dom.js";
import { className, done, inBrackets, number, percent, quoted } from "./words.js";

const CONTRAST = "contrast";
const OTHERS = ["or that", "or a third", "or a fourth", "or a fifth"];

/** Return a mask of a result: its files, what it is called, and its scores in words; `which` is null for the area's own. */
export function maskOf(result, { k, which }) {
  if (which === CONTRAST) return against(result);
  if (which) return instead(result.alternatives[numberOf(which)], which);
  const { area, mask, overlay } = result.curve[k];
  return {
    key: String(area),
    mask,
    overlay,
    name: `the mask of ${percent(area)}`,
    says: `${percent(area)} of the image: ${scores(result.curve[k])}`,
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

const scores = (one) =>
  `score ${number(one.preserve)} when only this is kept${inBrackets(one.preserve_probability)}, ${
    number(one.delete)
  } when it is taken away`;

function instead(one, key) {
  const share = `${done(one.overlap)} in common with the others`;
  return {
    key,
    mask: one.mask,
    overlay: one.overlay,
    name: `another mask of ${percent(one.area)}`,
    says: `Another ${percent(one.area)} that suffices: ${scores(one)}; ${share}`,
  };
}

function against(result) {
  const { contrast } = result;
  const [target, rival] = [quoted(result), `“${contrast.rival.label}”`];
  const kept = `With only this ${percent(contrast.area)} kept, ${target} scores ${
    number(contrast.target_score)
  } and ${rival} ${number(contrast.rival_score)}`;
  const says = `${kept}: ${number(contrast.preserve)} apart, ${number(contrast.original)} in the whole image`;
  return {
    key: CONTRAST,
    mask: contrast.mask,
    overlay: contrast.overlay,
    name: `the mask for ${target} and not ${rival}`,
    says,
  };
}
