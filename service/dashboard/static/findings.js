// What a sweep has found, in a sentence and in numbers.

import { el } from "./dom.js";
import { number, percent, quoted, size } from "./words.js";

/** Return what a result means, in one sentence. */
export function sentence(result) {
  const name = quoted(result);
  const share = result.optimal_area === null ? null : el("b", {}, percent(result.optimal_area));
  if (result.params.variant === "delete") {
    return share ? [share, " of the image taken away destroys the score of ", name, "."] : ["None of these areas taken away destroys the score of ", name, "."];
  }
  return share ? [share, " of the image suffices for ", name, "."] : ["None of these areas suffices for ", name, ": the score stays below the threshold."];
}

/** Return the table of a sweep's numbers, and what can be said of them. */
export function numbers(result) {
  const rows = result.curve.map((one) => [size(one.area), number(one.preserve), percent(one.preserve_probability), number(one.delete)]);
  return el(
    "details",
    {},
    el("summary", {}, "Numbers"),
    table(["Area", "Kept", "Probability", "Taken away"], rows),
    [scores(result), result.extremality && rivals(result.extremality)].map((words) => words && el("p.dim", {}, words)),
  );
}

/** Return a table of numbers. */
export function table(head, rows) {
  const cells = (row) => row.map((cell) => el("td.num", {}, String(cell)));
  const heading = el("tr", {}, head.map((text) => el("th.num", { scope: "col" }, text)));
  return el("div.scroll", {}, el("table", {}, el("thead", {}, heading), el("tbody", {}, rows.map((row) => el("tr", {}, cells(row))))));
}

function scores({ scores: { original, perturbed }, monotonic }) {
  const order = monotonic ? "Larger areas never score less, up to a*." : "Some larger area scores less than a smaller one.";
  return `The whole image scores ${number(original)}, the fully perturbed one ${number(perturbed)}. ${order}`;
}

/** Return whether rivals of the same areas were beaten: a mask that isn't best isn't extremal. */
function rivals({ extremal, methods, random_masks: random, points }) {
  const against = `the top areas of ${methods.join(", ").replaceAll("_", " ")}, and ${random} random masks`;
  if (extremal) return `No rival of the same area scores higher: ${against}.`;
  const beaten = points.filter((point) => point.rank > 1).map((point) => `${percent(point.area)} by ${point.beaten_by.join(", ").replaceAll("_", " ")}`);
  return `Not extremal: beaten at ${beaten.join("; at ")} (compared with ${against}).`;
}
