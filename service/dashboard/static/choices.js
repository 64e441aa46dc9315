// How to ask: the task and what belongs to it, with defaults that work.

import { get } from "./api.js";
import { el, field, options, select, show, uniqueId } from "./dom.js";
import { methodNames, parameterNames, unusual } from "./schema.js";
import { ofAll, takesSeveral, TASKS } from "./task.js";

const VARIANTS = { preserve: "Preserve: keep the score", delete: "Delete: destroy the score", hybrid: "Hybrid: both" };
const SWEEPS = { "": "5, 10, 20, 40, 60, 80 %", "0.05, 0.1, 0.2": "5, 10, 20 %", "0.1": "10 % only", own: "Others …" };
const PERTURBATIONS = { blur: "Blur", fade: "Fade to black", drop: "Left out, by patches" };
const OF_ANY_MODEL = ["blur", "fade"];
const COMPARED = ["gradient", "guided_backprop", "grad_cam", "rise", "extremal"]; // figure 2

/** Return the control: `{node, model(), params(), set(params), load()}`; `onModel(card)` is told of every model. */
export function choices(onModel) {
  const task = select(ofAll("question"));
  const model = select({});
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
  const methods = el("fieldset.methods-asked", {}, el("legend", {}, "Methods"));
  const several = el("small", {}, "Choose several images of one class.");
  const kept = el("div.chips", { role: "group", "aria-label": "Kept from that job" });
  let extra = {};
  const fields = {
    layer: field("Layer", controls.layer),
    counts: field("How many channels", counts, "Such as 1, 10, 100"),
    top: field("Channels shown", top),
    areas: el("div.stack", {}, field("Areas", sweep), own),
    variant: field("Masks that", controls.variant),
    perturbation: field("Outside the mask", controls.perturbation),
    methods,
    invert: el("div.row", {}, invert, el("label", { htmlFor: invert.id }, "Show what they look for (slower)")),
    preset: field("Preset", controls.preset),
    white_level: field("White of a 16-bit grey image", white, "Such as 4095, where a camera has 12 bits"),
  };

  async function adapt() {
    const { form } = TASKS[task.value];
    const shown = form.map((name) => controlOf(name, task.value));
    several.hidden = !takesSeveral(TASKS[task.value]);
    own.hidden = sweep.value !== "own";
    for (const [name, node] of Object.entries(fields)) node.hidden = !shown.includes(name);
    if (form.includes("methods")) await offerMethods();
  }

  async function offerMethods() {
    if (methods.querySelector("input")) return;
    const names = await methodNames(task.value).catch(() => COMPARED);
    if (methods.querySelector("input")) return; // asked twice at once
    methods.append(...names.map((name) => method(name, COMPARED.includes(name))));
  }

  function method(name, checked) {
    const box = el("input", { type: "checkbox", value: name, checked, id: uniqueId("method") });
    return el("span.row", {}, box, el("label", { htmlFor: box.id }, name.replaceAll("_", " ")));
  }

  const boxes = () => [...methods.querySelectorAll("input")];

  /** Return the parameters; what isn't chosen is left to the API. */
  function params() {
    const { form, unit } = TASKS[task.value];
    const values = {
      variant: controls.variant.value,
      areas: numbers(unit === "channels" ? counts.value : sweep.value === "own" ? own.value : sweep.value),
      perturbation: controls.perturbation.value,
      preset: controls.preset.value,
      layer: controls.layer.value || undefined,
      top: Number(top.value),
      invert: invert.checked,
      white_level: Number(white.value) || undefined,
      methods: boxes().filter((box) => box.checked).map((box) => box.value),
    };
    const chosen = Object.fromEntries(form.map((name) => [name, values[name]]));
    return { ...extra, task: task.value, model: model.value, ...chosen };
  }

  /** Take over a job's parameters: what there is no field for stays as it was asked, until it is taken out. */
  async function set(asked) {
    task.value = asked.task;
    if (asked.model !== model.value) {
      model.value = asked.model;
      await changed();
    }
    await adapt();
    for (const [name, control] of Object.entries(controls)) {
      control.value = asked[name] ?? (name === "layer" ? "" : control.value);
    }
    if (TASKS[asked.task].unit === "channels") counts.value = (asked.areas || []).join(", ");
    else if (asked.areas) [sweep.value, own.value] = ["own", asked.areas.join(", ")];
    top.value = asked.top ?? top.value;
    white.value = asked.white_level ?? "";
    invert.checked = Boolean(asked.invert);
    for (const box of boxes()) box.checked = asked.methods ? asked.methods.includes(box.value) : box.checked;
    const others = Object.entries(await unusual(asked).catch(() => ({})));
    const known = [...TASKS[asked.task].form, "model", "target"];
    extra = Object.fromEntries(others.filter(([name]) => !known.includes(name)));
    await adapt();
    drawKept();
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
  async function turn() {
    const known = await parameterNames(task.value).catch(() => []);
    extra = Object.fromEntries(Object.entries(extra).filter(([name]) => known.includes(name)));
    drawKept();
  }

  function takeOut(name) {
    delete extra[name];
    drawKept();
  }

  async function load() {
    try {
      const found = await get("v1/models");
      options(model, Object.fromEntries(found.models.map((one) => [one.name, one.name])), model.value || found.default);
      await changed();
    } catch {
      setTimeout(load, 5000); // the status line says what is wrong
    }
  }

  async function changed() {
    const card = await get(`v1/models/${model.value}`).catch(() => ({ labels: [], layers: [] }));
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

  for (const control of [task, sweep]) control.addEventListener("change", adapt);
  task.addEventListener("change", () => Object.keys(extra).length && turn());
  model.addEventListener("change", changed);
  offerPerturbations(OF_ANY_MODEL);
  adapt();
  return {
    node: el("div.stack", {}, field("What to find", task), several, field("Model", model), Object.values(fields), kept),
    model: () => model.value,
    params,
    set,
    load,
  };
}

/** Return which control asks for a parameter: areas are shares of the image, or counts of channels. */
const controlOf = (name, task) => (name === "areas" && TASKS[task].unit === "channels" ? "counts" : name);

/** Return the numbers of a text; undefined where it is empty. What isn't a number is left for the API to name. */
function numbers(text) {
  const found = text.split(/[\s,;]+/).filter(Boolean);
  return found.length ? found.map((one) => (Number.isFinite(Number(one)) ? Number(one) : one)) : undefined;
}
