// How to ask: the task, as tabs, and what belongs to it, with defaults that work.

import { el, field, options, segments, select, show, uniqueId } from "./dom.js";
import { methodField } from "./methods.js";
import { modelField } from "./models.js";
import { parameterNames, unusual } from "./schema.js";
import { tabs } from "./tabs.js";
import { ofAll, takesSeveral, TASKS } from "./task.js";

const VARIANTS = { preserve: "Preserve: keep the score", delete: "Delete: destroy the score", hybrid: "Hybrid: both" };
const SWEEPS = { "": "5, 10, 20, 40, 60, 80 %", "0.05, 0.1, 0.2": "5, 10, 20 %", "0.1": "10 % only", own: "Others …" };
const PERTURBATIONS = { blur: "Blur", fade: "Fade to black", drop: "Left out, by patches" };
const OF_ANY_MODEL = ["blur", "fade"];
const AT_ONCE = ["layer", "methods"]; // shown without "More choices"
const MANY = "Many images";
const OF_MANY = "The same of each image, shown together.";

/**
 * Return the control: its parts `{tabs, asked, model, direct, more}`, of which those behind the first stand in `panel`, and
 * what it does.
 *
 * `onModel(card)` is told of every model, `onTurn()` of every task, `onChange()` of the methods that are chosen.
 */
export function choices(panel, { onModel, onTurn, onChange }) {
  const controls = {
    variant: select(VARIANTS),
    perturbation: select({}),
    preset: select({ fast: "Fast", paper: "As in the paper (slow)" }),
    layer: select({}),
  };
  const sweep = select(SWEEPS);
  const own = el("input", {
    type: "text",
    placeholder: "0.05, 0.1, 0.2",
    "aria-label": "Shares of the image, in (0, 1)",
  });
  const counts = el("input", { type: "text", placeholder: "The paper’s, scaled to the layer" });
  const top = el("input", { type: "number", min: 1, max: 16, value: 5 });
  const white = el("input", { type: "number", min: 1, max: 65535, placeholder: "The largest that there can be" });
  const invert = el("input", { type: "checkbox", id: uniqueId("invert") });
  const methods = methodField(onChange);
  const model = modelField(changed);
  const kept = el("div.chips", { role: "group", "aria-label": "Kept from that job" });
  const asked = el("p.dim.asked");
  const kinds = el("div.kinds");
  let [task, isMany] = [Object.keys(TASKS)[0], false];
  let extra = {};
  const fields = {
    layer: field("Layer", controls.layer),
    counts: field("How many channels", counts, "Such as 1, 10, 100"),
    top: field("Channels shown", top),
    areas: el("div.stack", {}, field("Areas", sweep), own),
    variant: field("Masks that", controls.variant),
    perturbation: field("Outside the mask", controls.perturbation),
    methods: methods.node,
    invert: el("div.row", {}, invert, el("label", { htmlFor: invert.id }, "Show what they look for (slower)")),
    preset: field("Preset", controls.preset),
    white_level: field("White of a 16-bit grey image", white, "Such as 4095, where a camera has 12 bits"),
  };
  const direct = AT_ONCE.map((name) => fields[name]);
  const more = Object.keys(fields).filter((name) => !AT_ONCE.includes(name)).map((name) => fields[name]);
  const row = tabs("What to find", [...new Set(Object.values(ofAll("tab"))), MANY], panel, turnTo);

  /** Return the tasks that a tab offers: those of its name; of many images, those of one image each. */
  const offered = (tab) =>
    Object.values(TASKS).filter((one) => (tab === MANY ? !takesSeveral(one) : one.tab === tab)).map(({ name }) => name);
  const tab = () => (isMany ? MANY : TASKS[task].tab);
  const isSeveral = () => isMany || takesSeveral(TASKS[task]);

  /** Turn to a tab: its first task, or the one that was chosen, where it offers that too. */
  function turnTo(name) {
    const found = offered(name);
    turn(found.includes(task) ? task : found[0], name === MANY);
  }

  function turn(to, many) {
    [task, isMany] = [to, many && !takesSeveral(TASKS[to])];
    adapt();
    if (Object.keys(extra).length) forget();
    onTurn();
  }

  /** Turn to where several images are asked about: those of one class together, else each by itself. */
  function turnToSeveral() {
    const together = offered(tab()).find((name) => takesSeveral(TASKS[name]));
    turn(together ?? task, !together);
  }

  function adapt() {
    const shown = TASKS[task].form.map((name) => controlOf(name, task));
    row.mark(tab());
    own.hidden = sweep.value !== "own";
    for (const [name, node] of Object.entries(fields)) node.hidden = !shown.includes(name);
    asked.textContent = isMany ? OF_MANY : TASKS[task].question;
    drawKinds(offered(tab()));
    if (shown.includes("methods")) methods.load();
  }

  function drawKinds(found) {
    const names = Object.fromEntries(found.map((name) => [name, isMany ? TASKS[name].tab : TASKS[name].title]));
    const control = segments("Which of them", names, (name) => turn(name, isMany));
    control.mark(task);
    show(kinds, found.length > 1 ? control.node : null);
  }

  /** Return the parameters; what isn't chosen is left to the API. */
  function params() {
    const { form, unit } = TASKS[task];
    const values = {
      variant: controls.variant.value,
      areas: numbers(unit === "channels" ? counts.value : sweep.value === "own" ? own.value : sweep.value),
      perturbation: controls.perturbation.value,
      preset: controls.preset.value,
      layer: controls.layer.value || undefined,
      top: Number(top.value),
      invert: invert.checked,
      white_level: Number(white.value) || undefined,
      methods: methods.value(),
    };
    const chosen = Object.fromEntries(form.map((name) => [name, values[name]]));
    return { ...extra, task, model: model.value(), ...chosen };
  }

  /** Take over a job's parameters: what there is no field for stays as it was asked, until it is taken out. */
  async function set(given) {
    [task, isMany] = [given.task, false];
    await model.set(given.model);
    for (const [name, control] of Object.entries(controls)) {
      control.value = given[name] ?? (name === "layer" ? "" : control.value);
    }
    if (TASKS[task].unit === "channels") counts.value = (given.areas || []).join(", ");
    else if (given.areas) [sweep.value, own.value] = ["own", given.areas.join(", ")];
    top.value = given.top ?? top.value;
    white.value = given.white_level ?? "";
    invert.checked = Boolean(given.invert);
    if (given.methods) methods.set(given.methods);
    const others = Object.entries(await unusual(given).catch(() => ({})));
    const known = [...TASKS[task].form, "model", "target"];
    extra = Object.fromEntries(others.filter(([name]) => !known.includes(name)));
    adapt();
    drawKept();
    onTurn();
  }

  /** Turn to what an address names: a task, a model, many images, the order of the models. */
  async function open({ task: named, model: wanted, many, sort }) {
    model.sort(sort);
    if (named in TASKS || many) turn(named in TASKS ? named : task, Boolean(many));
    if (wanted) await model.set(wanted);
  }

  function drawKept() {
    show(
      kept,
      Object.entries(extra).map(([name, value]) =>
        el("button", {
          type: "button",
          title: "Take it out",
          "aria-label": `Take out ${name}: ${value}`,
          onclick: () => takeOut(name),
        }, `${name.replaceAll("_", " ")}: ${value} ×`)
      ),
    );
  }

  /** Keep of an older job only what the task knows. */
  async function forget() {
    const known = await parameterNames(task).catch(() => []);
    extra = Object.fromEntries(Object.entries(extra).filter(([name]) => known.includes(name)));
    drawKept();
  }

  function takeOut(name) {
    delete extra[name];
    drawKept();
  }

  function changed(card) {
    const layers = (card.layers || []).map((one) => [one.name, `${one.name} (${one.channels} channels)`]);
    options(controls.layer, Object.fromEntries([["", "The default one"], ...layers]), "");
    offerPerturbations(card.perturbations || OF_ANY_MODEL);
    onModel(card);
  }

  /** Offer what a model takes; the chosen one stays, where that is among it. */
  function offerPerturbations(taken) {
    const { perturbation } = controls;
    const chosen = taken.includes(perturbation.value) ? perturbation.value : taken[0];
    options(perturbation, Object.fromEntries(taken.map((name) => [name, PERTURBATIONS[name] ?? name])), chosen);
  }

  /** Return what has to be chosen first, in words; null for nothing. */
  const lacks = () => TASKS[task].form.includes("methods") && !methods.value().length ? "Choose a method first" : null;

  sweep.addEventListener("change", adapt);
  offerPerturbations(OF_ANY_MODEL);
  adapt();
  return {
    tabs: row.node,
    asked: el("div.stack", {}, asked, kinds),
    direct,
    more: [...more, kept],
    model,
    params,
    set,
    open,
    isMany: () => isMany,
    isSeveral,
    turnToSeveral,
    lacks,
    place: () => ({ task, many: isMany ? "yes" : null }),
  };
}

/** Return which control asks for a parameter: areas are shares of the image, or counts of channels. */
const controlOf = (name, task) => (name === "areas" && TASKS[task].unit === "channels" ? "counts" : name);

/** Return the numbers of a text; undefined where it is empty. What isn't a number is left for the API to name. */
function numbers(text) {
  const found = text.split(/[\s,;]+/).filter(Boolean);
  return found.length ? found.map((one) => (Number.isFinite(Number(one)) ? Number(one) : one)) : undefined;
}
