// What the stage shows before there is a job: a result to play with, made beforehand (docs/welcome.py), and how to read it.

import { get, root } from "./api.js";
import { el, show } from "./dom.js";
import { sweepView } from "./sweep.js";

const RESULT = "static/welcome/result.json";
const PHOTOGRAPH = "static/samples/black_bear.jpg"; // the form's first one, too: it is loaded once
const READING = [
  "Move the slider: each step shows the part of that size which keeps the score of the class highest.",
  "The smallest part whose score is no lower than the whole image’s, a*, is what the network needs; less than that is not enough.",
  "“Remove this” takes the part away in place of the rest, and the network says something else.",
];
const FILES = { image: PHOTOGRAPH, open: (path) => Promise.resolve(`${root}/${path}`) };

/** Return a result to play with, which plays until `signal` ends that; without one, how to read those that are to come. */
export function welcome(signal) {
  const answer = el("p.best");
  const stage = el("div.welcome-stage");
  play(answer, stage, signal).catch(() => stage.remove()); // the status line says what is wrong
  return el(
    "div.stack.welcome.result",
    {},
    el("h1", {}, "See what the network needs to see"),
    el("ol.reading", {}, READING.map((one) => el("li", {}, one))),
    answer,
    stage,
  );
}

async function play(answer, stage, signal) {
  const result = await get(RESULT);
  const shown = sweepView(result, { files: FILES, asked: {}, onShow: () => {}, onChange: () => {}, signal });
  show(answer, `An example, by ${result.model.name}: `, shown.answer);
  show(stage, shown.look);
}
