// What a sweep has found, in a sentence and in numbers.

import { el } from "./dom.js";
import { meaning, shareOfImage } from "./optimum.js";
import { range } from "./steadiness.js";
import { term } from "./term.js";
import { chance, number, percent, size } from "./words.js";

const OWN = "walks"; // where a mask was found that no rival led to

/** Return what a result means, in one sentence, and a* as a range where runs differ. */
export function sentence(result) {
  const differ = range(result);
  return [...meaning(result, shareOfImage(result)), differ && el("span.range.dim", {}, ` ${differ}`), "."];
}

const probability = ({ preserve_probability: value }) => (typeof value === "number" ? chance(value) : "–");

/** Return the table of a sweep's numbers below its `charts`, and what can be said of them. */
export function numbers(result, ...charts) {
  const steady = result.stability?.points;
  const varies = (k) => (steady ? [number(steady[k].agreement), `± ${number(steady[k].spread)}`] : []);
  const rows = result.curve.map((
    one,
    k,
  ) => [size(one.area), number(one.preserve), probability(one), number(one.delete), ...varies(k)]);
  return el(
    "details",
    {},
    el("summary", {}, "Numbers"),
    charts,
    table(
      ["Area", "Score kept", "Probability", "Score removed", ...(steady ? ["Agreement", "Score varies"] : [])],
      rows,
    ),
    el("p.dim", {}, scores(result), " ", term("score"), " ", term("threshold")),
    steady && el("p.dim", {}, halves(result.stability)),
    result.extremality && el("p.dim", {}, rivals(result.extremality), " ", term("extremal")),
  );
}

/** Return a table of numbers. */
export function table(head, rows) {
  const cells = (row) => row.map((cell) => el("td.num", {}, String(cell)));
  const heading = el("tr", {}, head.map((text) => el("th.num", { scope: "col" }, text)));
  return el(
    "div.scroll",
    { tabIndex: 0, role: "region", "aria-label": "Numbers" },
    el("table", {}, el("thead", {}, heading), el("tbody", {}, rows.map((row) => el("tr", {}, cells(row))))),
  );
}

function scores({ scores: { original, perturbed }, monotonic, params, layer }) {
  const nothing = layer ? "without its channels" : params.perturbation === "fade" ? "faded to black" : "fully blurred";
  const order = monotonic
    ? "Larger areas never score less, up to a*."
    : "Some larger area scores less than a smaller one.";
  return `The whole image scores ${number(original)}, ${nothing} ${number(perturbed)}. ${order}`;
}

function halves({ walks, saliency_correlation: correlation }) {
  return `Agreement: how much the regions of two halves of the ${walks} walks have in common (1: all); their maps’ rank correlation is ${
    number(correlation)
  }.`;
}

const listed = (names) => names.join(", ").replaceAll("_", " ");

/** Return whether rivals of the same areas were beaten: a mask that isn't best isn't extremal. */
function rivals({ extremal, methods, random_masks: random, points, tolerance }) {
  const against = `the top areas of ${listed(methods)}, and ${random} random masks`;
  const higher = tolerance ? ` by more than ${percent(tolerance)}` : "";
  const beaten = points.filter((point) => point.rank > 1).map((point) =>
    `${percent(point.area)} by ${listed(point.beaten_by)}`
  );
  const verdict = extremal
    ? `No rival of the same area scores higher${higher}: ${against}.`
    : `Not extremal: beaten${higher} at ${beaten.join("; at ")} (compared with ${against}).`;
  return [verdict, ...points.filter((point) => point.found_by && point.found_by !== OWN).map(byWayOf)].join(" ");
}

const BLOCKS = { alternative: "another sufficient region", contrast: "the contrast" };

function byWayOf({ area, found_by: origin }) {
  const block = BLOCKS[origin];
  if (block) return `At ${percent(area)}, the mask was found by the search for ${block}: that scored higher.`;
  return `At ${percent(area)}, the mask was found by way of ${
    listed([origin])
  }: that scored higher, and the search went on from there.`;
}
