// A comparison: each method's map as heat over the image, and their curves in one chart (figure 2).

import { picture } from "./api.js";
import { overlaidCurves } from "./curve.js";
import { el, segments, show } from "./dom.js";
import { place, remember } from "./place.js";
import { number, quoted } from "./words.js";

const OURS = "extremal";
const KINDS = { preserve: "Top areas kept", delete: "Top areas taken away" };

/** Return the page of a finished job of the task `compare`. */
export function comparePage(_job, result) {
  const shown = result.methods.filter((one) => one.unavailable === null || one.unavailable === undefined);
  const hidden = new Set();
  let kind = place().view.curve in KINDS ? place().view.curve : "preserve";
  const chart = el("div.chart");
  const kinds = segments("Which curve", KINDS, (value) => (remember({ curve: value }), draw({ kind: value })));
  const chips = el(
    "div.chips",
    { role: "group", "aria-label": "Methods in the chart" },
    shown.map((one, k) => chip(one, k)),
  );

  function chip(one, k) {
    const dot = el("i", { style: { background: colour(one, k, shown.length) } });
    const button = el(
      "button.shown-method",
      {
        type: "button",
        "aria-pressed": "true",
        onclick: () => toggle(one.method, button),
      },
      dot,
      one.title || one.method,
    );
    return button;
  }

  function toggle(method, button) {
    if (!hidden.delete(method)) hidden.add(method);
    button.setAttribute("aria-pressed", String(!hidden.has(method)));
    draw({});
  }

  function draw(change) {
    kind = change.kind || kind;
    kinds.mark(kind);
    const lines = shown
      .map((one, k) => ({
        method: one.method,
        title: one.title,
        colour: colour(one, k, shown.length),
        points: one.curve.map((point) => [point.area, point[kind]]),
      }))
      .filter((line) => !hidden.has(line.method) && line.points.length);
    show(
      chart,
      lines.length
        ? overlaidCurves(lines, result.scores.original, `Scores of the methods: ${KINDS[kind]}`)
        : el("p.dim", {}, "Choose a method."),
    );
  }

  draw({});
  return el(
    "div.stack",
    {},
    el("h1.answer", {}, winner(shown, result)),
    el("div.tiles.methods", {}, result.methods.map(tile)),
    el("div.row.spread", {}, el("h2", {}, "How much of the score do the top areas keep?"), kinds.node),
    el(
      "div.look",
      {},
      chart,
      el(
        "div.stack",
        {},
        chips,
        el("p.dim", {}, "The dashed line is the score of the whole image. A click on a method hides it."),
      ),
    ),
  );
}

function winner(methods, result) {
  const areas = methods.find((one) => one.curve.length)?.curve.map((point) => point.area) || [];
  const wins = new Map();
  areas.forEach((_, k) => {
    const best = methods.filter((one) => one.curve.length).reduce((
      a,
      b,
    ) => (b.curve[k].preserve > a.curve[k].preserve ? b : a));
    wins.set(best.title, (wins.get(best.title) || 0) + 1);
  });
  const [name, count] = [...wins].sort((a, b) => b[1] - a[1])[0] || ["", 0];
  return [el("b", {}, name), ` keeps the most of ${quoted(result)} at ${count} of ${areas.length} areas.`];
}

function tile(one) {
  if (one.unavailable) {
    return el("figure", {}, el("p.dim", {}, one.unavailable), el("figcaption", {}, one.title || one.method));
  }
  const image = el("img", { alt: `What ${one.title} finds`, loading: "lazy" });
  picture(one.overlay).then((address) => (image.src = address)).catch(
    () => (image.alt = "The picture couldn’t be downloaded"),
  );
  const took = one.seconds === null ? "" : `, ${one.seconds < 10 ? number(one.seconds) : Math.round(one.seconds)} s`;
  const where = one.layer ? el("span.dim", {}, ` at ${one.layer}`) : null;
  return el("figure", { title: one.source }, image, el("figcaption", {}, `${one.title}${took}`, where));
}

function colour(one, k, count) {
  return one.method === OURS ? "var(--accent)" : `hsl(${Math.round((360 * k) / count)} 55% 52%)`;
}
