// The form: an image, what to ask of it, one button.

import { ApiError, get, post, request, root } from "./api.js";
import { el, field, show, uniqueId } from "./dom.js";
import { targets } from "./targets.js";

const SAMPLES = [
  ["black_bear", "A black bear"],
  ["goose", "A goose"],
  ["pizza", "A pizza"],
  ["school_bus", "A school bus"],
  ["airliner", "An airliner"],
];
const TASKS = { extremal: "Where: masks on the image", compare: "Compare with other methods", channels: "Inside: channels of a layer" };
const VARIANTS = { preserve: "Preserve: keep the score", delete: "Delete: destroy the score", hybrid: "Hybrid: both" };
const SWEEPS = { "": "5, 10, 20, 40, 60, 80 %", "0.05, 0.1, 0.2": "5, 10, 20 %", "0.1": "10 % only", own: "Others …" };

/** Fill the section with the form; `onPosted(job)` gets what was made. Returns `{fill, reload}`. */
export function ask(section, onPosted) {
  const state = { file: null };
  const preview = el("img", { alt: "The chosen image", hidden: true });
  const input = el("input.sr", { type: "file", accept: "image/*", id: uniqueId("file"), onchange: () => choose(input.files[0]) });
  const error = el("p.error", { role: "alert" });
  const go = el("button.primary", { type: "submit" }, "Explain");
  const model = select({}, "Model");
  const task = select(TASKS);
  const variant = select(VARIANTS);
  const perturbation = select({ blur: "Blur", fade: "Fade to black" });
  const preset = select({ fast: "Fast", paper: "As in the paper (slow)" });
  const sweep = select(SWEEPS);
  const own = el("input", { type: "text", placeholder: "0.05, 0.1, 0.2", "aria-label": "Shares of the image, in (0, 1)" });
  const layer = select({});
  const invert = el("input", { type: "checkbox", id: uniqueId("invert") });
  const target = targets(() => model.value);
  const spatial = el("div.stack", {}, field("Areas", sweep), own, field("Outside the mask", perturbation));
  const inside = el("div.stack", {}, field("Layer", layer), el("div.row", {}, invert, el("label", { htmlFor: invert.id }, "Show what they look for (slower)")));
  const drop = el(
    "div.drop",
    { ondragover: over, ondragleave: () => drop.classList.remove("over"), ondrop: dropped },
    preview,
    el("label.button", { htmlFor: input.id }, "Choose an image"),
    input,
    el("small", {}, "or drop or paste one here"),
  );
  const samples = el("div.samples", { role: "group", "aria-label": "Samples" }, SAMPLES.map(sampleButton));

  function sampleButton([name, title]) {
    const picture = el("img", { src: `${root}/static/samples/${name}.small.jpg`, alt: title, width: 112, height: 112 });
    return el("button", { type: "button", title, "aria-pressed": "false", onclick: (event) => sample(name, event.currentTarget) }, picture);
  }

  async function sample(name, button) {
    const response = await request(`static/samples/${name}.jpg`);
    choose(new File([await response.blob()], `${name}.jpg`, { type: "image/jpeg" }), button);
  }

  function choose(file, button = null) {
    if (!file) return;
    state.file = file;
    URL.revokeObjectURL(preview.src);
    preview.src = URL.createObjectURL(file);
    preview.hidden = false;
    for (const one of samples.children) one.setAttribute("aria-pressed", String(one === button));
    error.textContent = "";
    target.of(file);
  }

  function over(event) {
    event.preventDefault();
    drop.classList.add("over");
  }

  function dropped(event) {
    event.preventDefault();
    drop.classList.remove("over");
    choose(event.dataTransfer.files[0]);
  }

  function params() {
    const chosen = { task: task.value, model: model.value, target: target.value(), variant: variant.value, preset: preset.value };
    if (task.value === "channels") return { ...chosen, layer: layer.value || undefined, invert: invert.checked };
    const areas = sweep.value === "own" ? own.value : sweep.value;
    const listed = areas ? areas.split(/[\s,;]+/).filter(Boolean).map(Number) : undefined;
    const common = { ...chosen, areas: listed, perturbation: perturbation.value };
    return task.value === "compare" ? { ...common, variant: undefined } : common;
  }

  async function submit(event) {
    event.preventDefault();
    error.textContent = "";
    if (!state.file) {
      await sample("black_bear", samples.children[0]); // a first visitor needs one click
    }
    go.disabled = true;
    try {
      onPosted(await post("v1/jobs", { image: state.file, params: params(), keep_images: "true" }));
    } catch (problem) {
      error.textContent = words(problem);
    } finally {
      go.disabled = false;
    }
  }

  function adapt() {
    own.hidden = sweep.value !== "own";
    spatial.hidden = task.value === "channels";
    inside.hidden = task.value !== "channels";
    variant.closest(".field").hidden = task.value === "compare";
  }

  async function reload() {
    try {
      const found = await get("v1/models");
      options(model, Object.fromEntries(found.models.map((one) => [one.name, one.name])), model.value || found.default);
      await changed();
    } catch {
      setTimeout(reload, 5000); // the status line says what is wrong
    }
  }

  async function changed() {
    const read = await get(`v1/models/${model.value}`).catch(() => ({ labels: [], layers: [] }));
    target.labels(read.labels);
    const layers = (read.layers || []).map((one) => [one.name, `${one.name} (${one.channels} channels)`]);
    options(layer, Object.fromEntries([["", "The default one"], ...layers]), "");
    if (state.file) target.of(state.file);
  }

  /** Take over a job's image and parameters, to be changed and asked again. */
  async function fill(job, file) {
    if (file) choose(file);
    const p = job.params;
    for (const [control, value] of [[task, p.task], [variant, p.variant], [perturbation, p.perturbation], [preset, p.preset]]) if (value) control.value = value;
    if (p.areas && p.task !== "channels") [sweep.value, own.value] = ["own", p.areas.join(", ")];
    target.set(p.target);
    adapt();
    section.scrollIntoView({ behavior: "smooth" });
    go.focus({ preventScroll: true });
  }

  show(
    section,
    el(
      "form.stack",
      { onsubmit: submit },
      el("h2", {}, "Explain an image"),
      drop,
      samples,
      target.node,
      go,
      error,
      el(
        "details",
        {},
        el("summary", {}, "More choices"),
        el("div.stack", {}, field("What to find", task), field("Model", model), field("Masks that", variant), spatial, inside, field("Preset", preset)),
      ),
    ),
  );
  for (const control of [task, sweep]) control.addEventListener("change", adapt);
  model.addEventListener("change", changed);
  document.addEventListener("paste", (event) => choose([...event.clipboardData.files].find((file) => file.type.startsWith("image/"))));
  adapt();
  reload();
  return { fill, reload };
}

function select(choices) {
  const node = el("select");
  options(node, choices, Object.keys(choices)[0]);
  return node;
}

function options(node, choices, chosen) {
  show(node, Object.entries(choices).map(([value, text]) => el("option", { value, selected: value === chosen }, text)));
}

function words(problem) {
  const errors = problem instanceof ApiError ? problem.problem.errors : null;
  return errors ? errors.map((one) => `${one.field}: ${one.detail}`).join("\n") : problem.message;
}
