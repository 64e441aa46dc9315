// The best finding of a sweep that still runs, in a sentence.

import { el } from "./dom.js";
import { whole } from "./seen.js";
import { done, percent, quoted } from "./words.js";

const COARSE = "walks"; // the stage whose masks are no answers yet

/** Return what keeps the best finding: a function of a progress and its partial curve that returns nodes; null before there is one. */
export function bestSoFar({ task, variant }) {
  const said = task === "extremal" && { preserve: kept, delete: removed }[variant];
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
    return finding({ ...enough, suffices: true }, [` of ${whole(subject)} suffices for `, quoted(subject)]);
  }
  if (best?.suffices || original <= 0 || !points.length) return null;
  const { area, preserve } = points.reduce((a, b) => (a.preserve >= b.preserve ? a : b));
  const share = Math.min(1, Math.max(0, preserve / original));
  if (best && best.share >= share) return null;
  return finding({ area, share }, [` of ${whole(subject)} keeps ${done(share)} of the score of `, quoted(subject)]);
}

/** Return the smallest area that lowers the score as far as is asked, or the one that lowers it the most; null as above. */
function removed(points, subject, best) {
  const { original, threshold } = subject.scores;
  const low = points.find((one) => threshold !== null && one.delete <= threshold);
  if (best?.suffices && (!low || best.area <= low.area)) return null;
  if (original <= 0 || !points.length) return null;
  const one = low || points.reduce((a, b) => (a.delete <= b.delete ? a : b));
  const share = Math.max(0, one.delete / original);
  if (!low && best && best.share <= share) return null;
  return finding({ area: one.area, share, suffices: Boolean(low) }, [
    ` of ${whole(subject)} removed lowers the score of `,
    quoted(subject),
    ` to ${done(share)}`,
  ]);
}

const finding = ({ area, share, suffices = false }, words) => ({
  area,
  share,
  suffices,
  nodes: ["So far, ", el("b", {}, percent(area)), ...words, "."],
});
