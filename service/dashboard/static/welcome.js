// What the stage shows before there is a job: a result to play with, made beforehand (docs/welcome.py), and how to read it.

import { get, root } from "./api.js";
import { el, segments, show, uniqueId } from "./dom.js";
import { sentence } from "./findings.js";
import { alphaMask, ownMode, revealer } from "./reveal.js";
import { SIDES } from "./viewbar.js";
import { done, inBrackets, number, percent } from "./words.js";

const FOLDER = "static/welcome";
const PHOTOGRAPH = "static/samples/black_bear.jpg"; // the form's first one, too: it is loaded once
const READING = [
  "Move the slider: each step shows the part of that size which keeps the score of the class highest, and blurs the rest.",
  "The smallest part whose score is no lower than the whole image’s, a*, is what the network needs; less than that is not enough.",
  "“Remove this” takes the part away in place of the rest, and the score falls: what is left is not what the network goes by.",
];

/** Return a result to play with; without one, how to read those that are to come. */
export function welcome() {
  const answer = el("p.best");
  const stand = el("div.welcome-picture");
  const controls = el("div.stack.welcome-controls");
  play(answer, stand, controls).catch(() => stand.remove()); // the status line says what is wrong
  return el(
    "div.stack.welcome",
    {},
    el("h1", {}, "See what the network needs to see"),
    answer,
    el(
      "div.look",
      {},
      el("div.stack", {}, stand, controls),
      el("ol.reading", {}, READING.map((one) => el("li", {}, one))),
    ),
  );
}

async function play(answer, stand, controls) {
  const result = await get(`${FOLDER}/result.json`);
  const { curve, optimal_area: best } = result;
  const { canvas, draw } = await revealer(`${root}/${PHOTOGRAPH}`, result);
  const masks = new Map();
  const state = { k: curve.findIndex(({ area }) => area === best), side: "keep" };
  const slider = el("input", {
    type: "range",
    min: 0,
    max: curve.length - 1,
    step: 1,
    value: state.k,
    id: uniqueId("area"),
    oninput: () => turn({ k: Number(slider.value) }),
  });
  const sides = segments("This part", SIDES, (side) => turn({ side }));
  const says = el("output.dim");

  async function turn(changes) {
    Object.assign(state, changes);
    const { k, side } = state;
    const { area } = curve[k];
    slider.setAttribute("aria-valuetext", percent(area));
    sides.mark(side);
    says.textContent = words(result, curve[k], side);
    if (!masks.has(k)) masks.set(k, alphaMask(`${root}/${FOLDER}/mask_${area}.png`, canvas));
    const mask = await masks.get(k);
    if (state.k === k && state.side === side) draw({ mask, mode: ownMode(result), side, opacity: 1 });
    canvas.setAttribute("aria-label", `A black bear under the mask of ${percent(area)}`);
  }

  canvas.setAttribute("role", "img");
  await turn({});
  show(answer, `An example, by ${result.model.name}: `, sentence(result));
  show(stand, canvas);
  show(
    controls,
    el("div.slider", {}, el("label", { htmlFor: slider.id }, "How much to reveal"), slider),
    el("div.row", {}, sides.node, says),
  );
}

/** Return what the network says of the image that is shown. */
function words({ scores: { original } }, point, side) {
  const score = side === "keep" ? point.preserve : point.delete;
  const share = done(Math.max(0, score / original));
  const probability = side === "keep" ? inBrackets(point.preserve_probability) : "";
  const what = side === "keep" ? `${percent(point.area)} kept` : `${percent(point.area)} removed`;
  return `${what}: score ${number(score)}${probability}, ${share} of the whole image’s`;
}
