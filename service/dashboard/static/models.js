// Which model to explain: all on offer, with their size and accuracy and whether their weights are here.

import { get } from "./api.js";
import { combobox } from "./combobox.js";
import { el, show, uniqueId } from "./dom.js";

const AGAIN_MS = 5000;
const MEASURES = { top1: "top-1", box_map: "box mAP", miou: "mean IoU" };
const READY = "Ready: the weights are here";
const TO_FETCH = "Not here yet: downloaded when first used";
const OTHERS = "Others";
const KINDS = { box: "detector", segment: "segmenter", text: "images against texts", similar: "embeddings" };

/** What to do where a model can't be used. */
export const ADVICE = "Try again later, or choose another model: those whose weights are here come first.";

/**
 * Return the control: `{node, value(), set(name), load(), failed(problem, again), open()}`; `onModel(card)` is told of every
 * model, with its labels and layers.
 */
export function modelField(onModel) {
  const choice = combobox("Models", changed);
  const facts = el("small", { id: uniqueId("facts") }, "…");
  const fault = el("div.fault", { role: "alert" });
  let listed = [];

  async function load() {
    try {
      const found = await get("v1/models");
      listed = found.models;
      choice.offer(options(listed));
      if (!choice.value()) choice.set(found.default);
      await changed();
    } catch {
      setTimeout(load, AGAIN_MS); // the status line says what is wrong
    }
  }

  async function changed() {
    const name = choice.value();
    failed(null);
    tell();
    const card = await get(`v1/models/${name}`).catch(() => ({ labels: [], layers: [] }));
    if (name === choice.value()) onModel(card);
  }

  function tell() {
    const model = listed.find(({ name }) => name === choice.value());
    facts.textContent = model ? [...factsOf(model), placeOf(model)].filter(Boolean).join(" · ") : "";
  }

  /** Choose a model; what belongs to it is told before this returns. */
  async function set(name) {
    if (name === choice.value()) return;
    choice.set(name);
    await changed();
  }

  /** Say why the chosen model can't be used, what to do, and what else there is; null: it can be. */
  function failed(problem, again) {
    show(fault);
    if (!problem) return;
    const another = el("button", { type: "button", onclick: choice.open }, "Choose another model");
    const retry = el("button", { type: "button", onclick: again }, "Try again");
    show(fault, el("p.error.sentence", {}, problem.message), el("p", {}, ADVICE), el("div.row", {}, retry, another));
    fault.scrollIntoView({ block: "nearest" });
  }

  /** Note that the chosen model has answered, so that its weights are here. */
  function answered() {
    failed(null);
    const model = listed.find(({ name }) => name === choice.value());
    if (!model || model.weights_here) return;
    model.weights_here = true;
    choice.offer(options(listed));
    tell();
  }

  const name = el("label", { htmlFor: choice.input.id }, "Model");
  choice.input.setAttribute("aria-describedby", facts.id);
  return {
    node: el("div.field", {}, name, choice.node, facts, fault),
    value: choice.value,
    set,
    load,
    failed,
    answered,
    open: choice.open,
  };
}

function options(models) {
  const listed = models.map((model) => ({
    value: model.name,
    note: [...factsOf(model), model.description].filter(Boolean).join(" · "),
    group: groupOf(model),
    words: `${model.source} ${model.weights ?? ""}`,
  }));
  return [READY, OTHERS, TO_FETCH].flatMap((group) => listed.filter((one) => one.group === group));
}

const groupOf = ({ weights_here: isHere }) => (isHere ? READY : isHere === false ? TO_FETCH : OTHERS);

/** Return what is known of a model, a few words each. */
function factsOf({ targets, accuracy, parameters, weight_bytes: size, weights_here: isHere }) {
  const kind = Object.keys(KINDS).find((one) => targets.includes(one) && (one !== "similar" || targets.length === 1));
  return [
    kind && KINDS[kind],
    accuracy && `${Number((100 * accuracy.value).toFixed(1))}% ${MEASURES[accuracy.measure]}`,
    parameters && `${short(parameters)} parameters`,
    !isHere && size && bytes(size),
  ].filter(Boolean);
}

function placeOf({ weights_here: isHere, weight_bytes: size }) {
  if (isHere === null || isHere === undefined) return "";
  return isHere ? "weights here" : size ? "downloaded on first use" : "weights not here yet";
}

/** Return a number in three digits: 3.5M. */
function short(value) {
  const [divisor, letter] = value < 1e6 ? [1e3, "K"] : value < 1e9 ? [1e6, "M"] : [1e9, "G"];
  return `${Number((value / divisor).toPrecision(3))}${letter}`;
}

const bytes = (value) => `${Math.max(1, Math.round(value / 1e6))} MB`;
