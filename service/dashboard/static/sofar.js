// The best finding of a sweep that still runs, in a sentence.

import { el } from "./dom.js";
import { percent, quoted } from "./words.js";

const COARSE = "walks"; // the stage whose masks are no answers yet

/** Return what keeps the best finding: a function of a progress and its partial curve that returns nodes; null before there is one. */
export function bestSoFar({ task, variant }) {
  const said = task === "extremal" && { preserve: kept, delete: taken }[variant];
  let best = null;
  return ({ stage, subject }, points) => {
    if (!said || !subject || stage === COARSE) return null;
    best = said(points, subject, best) || best;
    return best?.nodes || null;
  };
}

/** Return the smallest area that suffices, or the one that keeps the most; null where that is no better than `best`. */
function kept(points, subject, best) {
  const { original, threshold } = subject.scores;
  const enough = points.find(({ preserve }) => threshold !== null && preserve >= threshold);
  if (enough) {
    if (best?.suffices && best.area <= enough.area) return null;
    return finding(enough.area, true, [" of the image suffices for ", quoted(subject)]);
  }
  if (best?.suffices || original <= 0) return null;
  const most = points.reduce((a, b) => (a && a.preserve >= b.preserve ? a : b), null);
  const share = most && Math.min(1, Math.max(0, most.preserve / original));
  return most && finding(most.area, false, [` of the image keeps ${whole(share)} of the score of `, quoted(subject)]);
}

/** Return the area that lowers the score the most, and for how much; the smallest that lowers it as far as is asked. */
function taken(points, subject, best) {
  const { original, threshold } = subject.scores;
  const low = points.find((one) => threshold !== null && one.delete <= threshold);
  if (best?.suffices && (!low || best.area <= low.area)) return null;
  const one = low || points.reduce((a, b) => (a && a.delete <= b.delete ? a : b), null);
  if (!one || original <= 0) return null;
  const share = Math.max(0, one.delete / original);
  return finding(one.area, Boolean(low), [
    " of the image taken away lowers the score of ",
    quoted(subject),
    ` to ${whole(share)}`,
  ]);
}

const whole = (share) => `${Math.round(100 * share)}%`;

const finding = (area, suffices, words) => ({
  area,
  suffices,
  nodes: ["So far, ", el("b", {}, percent(area)), ...words, "."],
});
