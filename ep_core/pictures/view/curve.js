// The score curves: preserve and delete over the areas (figure 3), of a job that still runs, of several methods (figure 2).

import { el, svg } from "./dom.js";
import { pointable } from "./tip.js";
import { className, inBrackets, number, percent, size } from "./words.js";

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [440, 270, 40, 12, 18, 42];

/** Return the scales of a chart: `x(area)`, `y(score)`, and its frame as SVG nodes. */
function frame(areas, scores, label, { wide = false } = {}) {
  const low = Math.min(0, ...scores);
  const high = Math.max(...scores);
  const span = high - low || 1;
  const most = Math.max(...areas);
  // Counts of channels span magnitudes: they stand at equal distances; areas stand where they are.
  const x = wide
    ? (area) => LEFT + ((areas.indexOf(area) + 0.5) / areas.length) * (WIDTH - LEFT - RIGHT)
    : (area) => LEFT + (area / Math.max(1, most)) * (WIDTH - LEFT - RIGHT);
  const y = (score) => TOP + (1 - (score - low) / span) * (HEIGHT - TOP - BOTTOM);
  const nodes = [svg("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: y(low), y2: y(low) })];
  for (const score of ticks(low, high)) {
    nodes.push(svg("line", { class: "tick", x1: LEFT, x2: WIDTH - RIGHT, y1: y(score), y2: y(score) }));
    nodes.push(
      svg("text", { x: LEFT - 6, y: y(score) + 4, "text-anchor": "end" }, String(Number(score.toPrecision(3)))),
    );
  }
  const marks = wide ? areas : [0, 0.2, 0.4, 0.6, 0.8, 1];
  for (const area of marks.filter((_, k) => !wide || areas.length < 12 || k % 3 === 0)) {
    nodes.push(
      svg("text", { x: x(area), y: HEIGHT - 22, "text-anchor": "middle" }, wide ? String(area) : percent(area)),
    );
  }
  nodes.push(svg("text", { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT, "text-anchor": "middle" }, label));
  return { x, y, nodes };
}

function ticks(low, high) {
  const rough = (high - low || 1) / 4;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * unit).find((one) => one >= rough);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) found.push(value);
  return found;
}

const path = (points) => points.map(([x, y], k) => `${k ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

function chart(label, nodes) {
  return svg("svg", { class: "curve", viewBox: `0 0 ${WIDTH} ${HEIGHT + 4}`, role: "img", "aria-label": label }, nodes);
}

const point = (x, y, kind) => svg("circle", { class: `point ${kind}-point`, cx: x, cy: y, r: 5 });

/** Return the curves of a result, `{node, mark(k)}`; `onPick(k)` is told which area was clicked. */
export function scoreCurve(result, onPick, { unit = "share kept or removed", counts = false } = {}) {
  const points = result.curve;
  const areas = points.map((one) => one.area);
  const { original, perturbed, threshold } = result.scores;
  const nothing = counts ? "no channels" : result.params.perturbation === "fade" ? "fully black" : "fully blurred";
  const lines = references({ "whole image": original, [nothing]: perturbed, threshold });
  const scores = [...points.flatMap((one) => [one.preserve, one.delete]), ...lines.keys()];
  const { x, y, nodes } = frame(areas, scores, unit, { wide: counts });
  for (const [value, words] of lines) {
    nodes.push(reference(y(value)), svg("text", { x: WIDTH - RIGHT, y: y(value) - 4, "text-anchor": "end" }, words));
  }
  const now = svg("line", { class: "now", y1: TOP, y2: HEIGHT - BOTTOM });
  nodes.push(now);
  for (const [name, kind] of [["delete", "drop"], ["preserve", "keep"]]) {
    nodes.push(svg("path", { class: kind, d: path(points.map((one) => [x(one.area), y(one[name])])) }));
    nodes.push(...points.map((one) => point(x(one.area), y(one[name]), kind)));
  }
  const best = points.find((one) => one.area === result.optimal_area);
  if (best) {
    nodes.push(
      svg("text", { class: "star", x: x(best.area) - 8, y: y(best[starred(result)]) - 8, "text-anchor": "end" }, "a*"),
    );
  }
  const words = (
    k,
  ) => [
    size(areas[k]),
    `kept: ${number(points[k].preserve)}${inBrackets(points[k].preserve_probability)}`,
    `removed: ${number(points[k].delete)}${inBrackets(points[k].delete_probability)}`,
  ];
  const mark = (k) => ["x1", "x2"].forEach((name) => now.setAttribute(name, x(areas[k])));
  mark(Math.max(0, points.indexOf(best)));
  const drawn = chart(`Scores of “${className(result)}” over the areas; the numbers are in the table`, nodes);
  return { node: el("div", {}, pointable(drawn, areas.map(x), words, onPick), legend(best)), mark };
}

const starred = (result) => (result.params.variant === "delete" ? "delete" : "preserve");
/** Return the lines to refer to, those that there are; those of the same score are one. */
function references(scores) {
  const found = new Map();
  for (const [words, value] of Object.entries(scores)) {
    if (value !== null) found.set(value, found.has(value) ? `${found.get(value)} = ${words}` : words);
  }
  return found;
}

const reference = (y) => svg("line", { class: "reference", x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y });

function legend(best) {
  return el(
    "p.legend",
    {},
    el("span", {}, el("i.keep-mark"), "only this kept"),
    el("span", {}, el("i.drop-mark"), "this removed"),
    best && el("span", {}, "a*: the smallest that suffices"),
  );
}

/** Return a running job’s score at an area: what its variant keeps or destroys, or of both what it maximises. */
const soFar = (one) => one.preserve ?? one.delete ?? one.objective;

/** Return the curve of a job that still runs. */
export function liveCurve(points) {
  const counts = points.some((one) => one.area >= 1);
  const areas = points.map((one) => one.area);
  const { x, y, nodes } = frame(areas, points.map(soFar), counts ? "channels" : "share kept or removed", {
    wide: counts,
  });
  nodes.push(svg("path", { class: "keep", d: path(points.map((one) => [x(one.area), y(soFar(one))])) }));
  nodes.push(...points.map((one) => point(x(one.area), y(soFar(one)), "keep")));
  const words = (k) => [size(areas[k]), number(soFar(points[k]))];
  return el(
    "figure.chart",
    {},
    pointable(chart("The scores so far", nodes), areas.map(x), words),
    el("figcaption", {}, "The score of each area so far"),
  );
}

/** Return the curves of several methods in one chart; `lines` are `{title, colour, points: [[area, score], ...]}`. */
export function overlaidCurves(lines, whole, label) {
  const areas = [...new Set(lines.flatMap((line) => line.points.map(([area]) => area)))].sort((a, b) => a - b);
  const scores = [...lines.flatMap((line) => line.points.map(([, score]) => score)), whole];
  const { x, y, nodes } = frame(areas, scores, "share kept or removed");
  nodes.push(reference(y(whole)));
  for (const { colour, points } of lines) {
    const line = svg("path", { class: "line", d: path(points.map(([area, score]) => [x(area), y(score)])) });
    line.style.stroke = colour;
    nodes.push(line);
  }
  const words = (
    k,
  ) => [
    percent(areas[k]),
    ...ranked(lines, areas[k]).map((
      [one, score],
    ) => [el("i.dot", { style: { background: one.colour } }), `${one.title}: ${number(score)}`]),
  ];
  return pointable(chart(label, nodes), areas.map(x), words);
}

/** Return the lines with their score at an area, the highest first. */
function ranked(lines, area) {
  const found = lines.map((line) => [line, line.points.find(([one]) => one === area)?.[1]]);
  return found.filter(([, score]) => score !== undefined).sort((a, b) => b[1] - a[1]);
}
