// Which model to explain: all on offer, with their size and accuracy and whether their weights are here, in the order chosen.

import { get } from "./api.js";
import { combobox } from "./combobox.js";
import { el, select, show, uniqueId } from "./dom.js";
import { rememberAsked } from "./place.js";

const AGAIN_MS = 5000;
const MEASURES = { top1: "top-1", box_map: "box mAP", miou: "mean IoU" };
const READY = "Ready: the weights are here";
const TO_FETCH = "Not here yet: downloaded when first used";
const OTHERS = "Others";
const AS_OFFERED = "offered";
const ORDERS = { [AS_OFFERED]: "As offered", name: "By name", accuracy: "By accuracy", size: "By size" };
const KINDS = { box: "detector", segment: "segmenter", text: "images against texts", similar: "embeddings" };

/** What to do where a model can't be used. */
export const ADVICE = "Try again later, or choose another model: those whose weights are here come first.";

/**
 * Return the control: `{node, value(), set(name), sort(order), load(), failed(problem, again), answered(), open()}`;
 * `onModel(card)` is told of every model, with its labels and layers.
 */
export function modelField(onModel) {
  const choice = combobox("Models", changed);
  const order = Object.assign(select(ORDERS), { onchange: sorted });
  const facts = el("small", { id: uniqueId("facts") }, "…");
  const fault = el("div.fault", { role: "alert" });
  let listed = [];

  async function load() {
    try {
      const found = await get("v1/models");
      listed = found.models;
      offer();
      if (!choice.value()) choice.set(found.default);
      await changed();
    } catch {
      setTimeout(load, AGAIN_MS); // the status line says what is wrong
    }
  }

  const offer = () => choice.offer(options(listed.toSorted(COMPARED[order.value])));

  function sorted() {
    offer();
    rememberAsked({ sort: order.value === AS_OFFERED ? null : order.value });
  }

  /** List the models in the order that an address names. */
  function sort(named) {
    if (!(named in ORDERS)) return;
    order.value = named;
    offer();
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
    offer();
    tell();
  }

  const name = el("label", { htmlFor: choice.input.id }, "Model");
  order.setAttribute("aria-label", "Order of the list");
  choice.input.setAttribute("aria-describedby", facts.id);
  return {
    node: el("div.field", {}, el("div.listed", {}, name, order), choice.node, facts, fault),
    value: choice.value,
    set,
    sort,
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

/** What tells two models apart, by the order; those of which it isn't known come last. */
const COMPARED = {
  [AS_OFFERED]: () => 0,
  name: (one, other) => one.name.localeCompare(other.name, "en"),
  accuracy: (one, other) => measureOf(one) - measureOf(other) || valueOf(other) - valueOf(one),
  size: (one, other) => sizeOf(one) - sizeOf(other) || 0, // of two that aren't known: no number
};

/** Return the place of what a model's accuracy is measured by: values of two measures can't be compared. */
const measureOf = ({ accuracy }) => [...Object.keys(MEASURES), undefined].indexOf(accuracy?.measure);
const valueOf = ({ accuracy }) => accuracy?.value ?? 0;
const sizeOf = ({ parameters }) => parameters ?? Infinity;

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
