// How far another run may give another answer, in words.

import { percent } from "./words.js";

// From which agreement on (intersection over union of the regions that two halves of the walks find) another run is expected
// to give nearly, or mostly, the same region; below, it may choose another one. `ep_core/cli/verdicts.py` says the same.
export const NEARLY_THE_SAME = 0.7;
export const MOSTLY_THE_SAME = 0.4;

/** Return how steady a result is, in a sentence or two; nothing where that isn't known. */
export function steadiness({ stability, optimal_area: best }) {
  if (!stability?.points.length) return "";
  const { points } = stability;
  const least = points.reduce((a, b) => (b.agreement < a.agreement ? b : a));
  const here = points.find((one) => one.area === best) || least;
  const others = points.filter((one) => one !== here && one.agreement < MOSTLY_THE_SAME).map((one) =>
    percent(one.area)
  );
  return [
    verdict(here),
    others.length && here.agreement >= MOSTLY_THE_SAME && `It may choose another at ${others.join(", ")}.`,
  ].filter(Boolean).join(" ");
}

function verdict({ area, agreement }) {
  if (agreement >= NEARLY_THE_SAME) return `Steady: another run gives nearly the same region at ${percent(area)}.`;
  if (agreement >= MOSTLY_THE_SAME) {
    return `Mostly steady: another run gives mostly the same region at ${percent(area)}.`;
  }
  return `Varies: another run may choose another region at ${percent(area)}.`;
}

/** Return a* as a range, in brackets; nothing where it is one area, or none. */
export function range({ stability }) {
  const [least, most] = stability?.optimal_areas ?? [null, null];
  if (least === null || least === most) return "";
  return most === null
    ? `(${percent(least)} or none of these areas where runs differ)`
    : `(${percent(least)} to ${percent(most)} where runs differ)`;
}
