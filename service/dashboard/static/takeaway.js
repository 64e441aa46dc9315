// Taking a result away: files, and exactly this job as a command or as Python.

import { root, request } from "./api.js";
import { el, show } from "./dom.js";

const FILES = {
  bundle: ["Everything (zip)", "zip"],
  result: ["Result (JSON)", "json"],
  curve: ["Curve (SVG)", "svg"],
  saliency: ["Saliency (PNG)", "png"],
  comparison: ["All maps (PNG)", "png"],
  sheet: ["Sheet (PNG)", "png"],
  channel_masks: ["Channel masks (JSON)", "json"],
};

/** Return the row of downloads and copies of a finished job. */
export function takeAway(job, result) {
  const said = el("span.dim", { role: "status" });
  const code = el("pre", { hidden: true, tabIndex: 0 });
  const save = (name, path, kind) => el("button", { type: "button", onclick: () => download(path, `${job.id.slice(0, 8)}.${kind}`, said) }, name);
  const copy = (name, text) => el("button", { type: "button", onclick: () => toClipboard(text, code, said) }, name);
  const files = Object.entries(FILES).filter(([name]) => job.links[name]).map(([name, [text, kind]]) => save(text, job.links[name], kind));
  return el(
    "details",
    { style: { "margin-top": "1.2rem" } },
    el("summary", {}, "Take away"),
    el("div.stack", {}, el("div.row", {}, files, result.curve && el("button", { type: "button", onclick: () => saveText(csv(result), `${job.id.slice(0, 8)}.csv`) }, "Curve (CSV)")), el("div.row", {}, copy("Copy as curl", curl(job)), copy("Copy as Python", python(job)), said), code),
  );
}

/** Return the parameters that have a value. */
const asked = (job) => Object.fromEntries(Object.entries(job.params).filter(([, value]) => value !== null));

function curl(job) {
  const params = JSON.stringify(asked(job)).replaceAll("'", "'\\''");
  return `curl -F image=@photo.jpg -F 'params=${params}' ${location.origin}${root}/v1/jobs`;
}

function python(job) {
  const values = Object.entries(asked(job)).filter(([name]) => name !== "task" && name !== "model");
  const spec = { extremal: "ExtremalSpec", compare: "CompareSpec", channels: "ChannelsSpec", class_channels: "ClassChannelsSpec" }[job.params.task];
  const run = { extremal: "explain", compare: "compare", channels: "explain_channels", class_channels: "class_channels" }[job.params.task];
  const given = values.map(([name, value]) => `${name}=${literal(value)}`).join(", ");
  return [
    "import ep_core",
    "from PIL import Image",
    "",
    `model = ep_core.load_model(${JSON.stringify(job.params.model)})`,
    `result = ep_core.${run}(model, ${job.params.task === "class_channels" ? "images" : 'Image.open("photo.jpg")'}, ep_core.${spec}(${given}))`,
  ].join("\n");
}

function literal(value) {
  if (Array.isArray(value)) return `(${value.map(literal).join(", ")}${value.length === 1 ? "," : ""})`;
  if (typeof value === "boolean") return value ? "True" : "False";
  return JSON.stringify(value);
}

function csv(result) {
  const columns = Object.keys(result.curve[0]).filter((name) => !["mask", "overlay"].includes(name));
  return [columns.join(","), ...result.curve.map((one) => columns.map((name) => one[name]).join(","))].join("\n");
}

async function download(path, name, said) {
  try {
    saveBlob(await (await request(path)).blob(), name);
    said.textContent = "";
  } catch (error) {
    said.textContent = error.message;
  }
}

const saveText = (text, name) => saveBlob(new Blob([text], { type: "text/csv" }), name);

function saveBlob(blob, name) {
  const address = URL.createObjectURL(blob);
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

async function toClipboard(text, code, said) {
  show(code, text); // also where the clipboard can't be reached
  code.hidden = false;
  said.textContent = await navigator.clipboard.writeText(text).then(
    () => "Copied.",
    () => "Copy it from here:",
  );
}
