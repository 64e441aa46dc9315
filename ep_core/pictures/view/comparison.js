// A comparison: each method's map or top area beside the image, and their curves in one chart (figure 2).

import { overlaidCurves } from "./curve.js";
import { el, segments, show } from "./dom.js";
import { areaSlider } from "./slider.js";
import { methodTiles } from "./tiles.js";
import { quoted } from "./words.js";

const OURS = "extremal";
const KINDS = { preserve: "Top areas kept", delete: "Top areas removed" };
const SHOWS = { heat: "Maps", top: "Top areas" };

/**
 * Return a result of the task `compare` to look at: `{answer, look}`, what it found, in a sentence, and the node with all of the rest.
 *
 * `files` is `{image, open}` as `masked` takes it; `asked` how it is looked at first (curve, area, tiles, texts or missing);
 * `onChange({curve, area, tiles})` is told each change; it plays until `signal` ends that.
 */
export function comparisonView(result, { files, asked, onChange, signal }) {
  const shown = result.methods.filter((one) => one.unavailable === null || one.unavailable === undefined);
  const hidden = new Set();
  const areas = curveOf(shown).map((point) => point.area);
  const canReveal = files.image !== null && areas.length > 0; // else posted without `keep_images`
  const state = begin(areas, result, canReveal, asked);
  const tiles = methodTiles(result, files);
  const views = segments("What the tiles show", SHOWS, (shows) => change({ shows }));
  const pick = (k) => (slider?.stop(), change({ k, shows: "top" }));
  const step = () => change({ k: (state.k + 1) % areas.length, shows: "top" });
  const slider = canReveal &&
    areaSlider({ curve: curveOf(shown), optimal_area: result.optimal_area }, { onPick: pick, onStep: step, signal });
  const chart = el("div.chart");
  const kinds = segments("Which curve", KINDS, (kind) => change({ kind }));
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
    draw();
  }

  function change(changes) {
    Object.assign(state, changes);
    onChange({ curve: state.kind, area: areas[state.k] ?? null, tiles: state.shows });
    draw();
  }

  function draw() {
    const { kind } = state;
    kinds.mark(kind);
    views.mark(state.shows);
    slider && slider.mark(state.k);
    tiles.mark(state);
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

  draw();
  const look = el(
    "div.stack",
    {},
    el("div.row.spread.viewbar", {}, canReveal && views.node, kinds.node),
    slider && slider.node,
    tiles.node,
    el("h2", {}, "How much of the score do the top areas keep?"),
    el(
      "div.look",
      {},
      chart,
      el(
        "div.stack",
        {},
        chips,
        el(
          "p.dim",
          {},
          "The dashed line is the score of the whole image. A click on a method hides it. Scores are of smooth masks of the top areas, all of the same size.",
        ),
      ),
    ),
  );
  return { answer: winner(shown, result), look };
}

/** Return the curve of the first method that has one: all have the same areas. */
const curveOf = (methods) => methods.find((one) => one.curve.length)?.curve || [];

/** Return how a comparison is looked at first: as asked, else the maps. */
function begin(areas, { optimal_area: best }, canReveal, { curve, area, tiles }) {
  const k = areas.indexOf(area ? Number(area) : best);
  return {
    k: k < 0 ? Math.max(0, areas.length - 1) : k,
    kind: curve in KINDS ? curve : "preserve",
    shows: canReveal && tiles in SHOWS ? tiles : "heat",
  };
}

function winner(methods, result) {
  const areas = curveOf(methods);
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

function colour(one, k, count) {
  return one.method === OURS ? "var(--accent)" : `hsl(${Math.round((360 * k) / count)} 55% 52%)`;
}
