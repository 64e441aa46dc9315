// The score curves: preserve and delete over the areas (figure 3), growth bars (figure 5), several methods (figure 2).

import { el, number, percent, svg } from "./dom.js";

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [560, 306, 44, 14, 18, 42];

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
    nodes.push(svg("text", { x: LEFT - 6, y: y(score) + 4, "text-anchor": "end" }, String(Number(score.toPrecision(3)))));
  }
  const marks = wide ? areas : [0, 0.2, 0.4, 0.6, 0.8, 1];
  for (const area of marks.filter((_, k) => !wide || areas.length < 12 || k % 3 === 0)) {
    nodes.push(svg("text", { x: x(area), y: HEIGHT - 22, "text-anchor": "middle" }, wide ? String(area) : percent(area)));
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

/** Return a point that says its numbers and can be picked. */
function point(x, y, kind, words, onPick) {
  const node = svg("circle", { class: `point ${kind}-point`, cx: x, cy: y, r: 5 }, svg("title", {}, words));
  if (onPick) node.addEventListener("click", onPick);
  return node;
}

/** Return the curves of a result, `{node, mark(k)}`; `onPick(k)` is told which area was clicked. */
export function scoreCurve(result, onPick, { unit = "share of the image kept or deleted", counts = false } = {}) {
  const points = result.curve;
  const { original, perturbed, threshold } = result.scores;
  const areas = points.map((one) => one.area);
  const scores = [...points.flatMap((one) => [one.preserve, one.delete]), original, perturbed, threshold];
  const { x, y, nodes } = frame(areas, scores, unit, { wide: counts });
  for (const [value, words] of [[original, "original"], [perturbed, "fully perturbed"], ...(threshold === original ? [] : [[threshold, "threshold"]])]) {
    nodes.push(svg("line", { class: "reference", x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }));
    nodes.push(svg("text", { x: WIDTH - RIGHT, y: y(value) - 4, "text-anchor": "end" }, words));
  }
  const now = svg("line", { class: "now", y1: TOP, y2: HEIGHT - BOTTOM, x1: -9, x2: -9 });
  nodes.push(now);
  const best = points.find((one) => one.area === result.optimal_area);
  for (const [name, kind] of [["delete", "drop"], ["preserve", "keep"]]) {
    nodes.push(svg("path", { class: kind, d: path(points.map((one) => [x(one.area), y(one[name])])) }));
    points.forEach((one, k) => {
      const words = `${counts ? one.area : percent(one.area)}: ${name} ${number(one[name])}`;
      nodes.push(point(x(one.area), y(one[name]), kind, words, () => onPick(k)));
    });
  }
  if (best) nodes.push(svg("text", { class: "star", x: x(best.area) - 8, y: y(best.preserve) - 8, "text-anchor": "end" }, "a*"));
  const label = `Score of ${result.target.label || "the class"} over the areas; the table below has the numbers`;
  const legend = el(
    "p.legend",
    {},
    el("span", {}, el("i.keep-mark"), "only the mask kept"),
    el("span", {}, el("i.drop-mark"), "the mask taken away"),
    best && el("span", {}, "a*: the smallest area that suffices"),
  );
  const mark = (k) => {
    now.setAttribute("x1", x(areas[k]));
    now.setAttribute("x2", x(areas[k]));
  };
  mark(Math.max(0, points.indexOf(best)));
  return { node: el("div", {}, chart(label, nodes), legend), mark };
}

/** Return bars of the score that each area preserves (figure 5), `{node, mark(k)}`. */
export function growthBars(result, onPick) {
  const [width, height] = [560, 84];
  const high = Math.max(result.scores.original, ...result.curve.map((one) => one.preserve), 1e-6);
  const step = width / result.curve.length;
  const bars = result.curve.map((one, k) => {
    const tall = Math.max(2, (Math.max(0, one.preserve) / high) * (height - 18));
    const words = `${percent(one.area)}: ${number(one.preserve)} (${percent(one.preserve_probability)})`;
    const bar = svg("rect", { class: "bar", x: k * step + 2, width: step - 4, y: height - 16 - tall, height: tall, rx: 3 }, svg("title", {}, words));
    bar.addEventListener("click", () => onPick(k));
    return bar;
  });
  const names = result.curve.map((one, k) => svg("text", { x: (k + 0.5) * step, y: height - 2, "text-anchor": "middle" }, percent(one.area)));
  const node = svg("svg", { class: "curve", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "The score that each area preserves" }, bars, names);
  return { node, mark: (k) => bars.forEach((bar, j) => bar.setAttribute("class", j === k ? "bar on" : "bar")) };
}

/** Return the curve of a job that still runs. */
export function liveCurve(points) {
  const counts = points.some((one) => one.area > 1);
  const areas = points.map((one) => one.area);
  const { x, y, nodes } = frame(areas, points.map((one) => one.score), counts ? "channels" : "share of the image", { wide: counts });
  nodes.push(svg("path", { class: "keep", d: path(points.map((one) => [x(one.area), y(one.score)])) }));
  for (const one of points) nodes.push(point(x(one.area), y(one.score), "keep", `${counts ? one.area : percent(one.area)}: ${number(one.score)}`));
  return el("figure.chart", {}, chart("The scores so far", nodes), el("figcaption", {}, "The score of each area so far"));
}

/** Return the curves of several methods in one chart; `lines` are `{title, colour, points: [[area, score], ...]}`. */
export function overlaidCurves(lines, reference, label) {
  const areas = [...new Set(lines.flatMap((line) => line.points.map(([area]) => area)))].sort((a, b) => a - b);
  const scores = [...lines.flatMap((line) => line.points.map(([, score]) => score)), reference];
  const { x, y, nodes } = frame(areas, scores, "share of the image");
  nodes.push(svg("line", { class: "reference", x1: LEFT, x2: WIDTH - RIGHT, y1: y(reference), y2: y(reference) }));
  for (const { title, colour, points } of lines) {
    const line = svg("path", { class: "line", d: path(points.map(([area, score]) => [x(area), y(score)])) }, svg("title", {}, title));
    line.style.stroke = colour;
    nodes.push(line);
  }
  return chart(label, nodes);
}
