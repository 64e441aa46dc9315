// Downloading and sharing a result: files, and exactly this job as a command or as Python.

import { key, root } from "./api.js";
import { citation } from "./cite.js";
import { copier } from "./copy.js";
import { el } from "./dom.js";
import { asked } from "./rerun.js";
import { saveFrom, saveText } from "./save.js";
import { partOf } from "./target.js";
import { takesSeveral, taskOf } from "./task.js";

const SECOND = "second.png";
const OF_ALL = [["bundle", "Everything (zip)", "zip"], ["result", "Result (JSON)", "json"]];

/** Return the row of downloads and copies of a finished job. */
export function takeAway(job, result) {
  const short = job.id.slice(0, 8);
  const names = photographs(result);
  const { button: copy, said, code } = copier();
  const save = (name, path, kind) =>
    el("button", { type: "button", onclick: () => saveFrom(path, `${short}.${kind}`, said) }, name);
  const files = downloads(job).map(([name, text, kind]) => save(text, job.links[name], kind));
  return el(
    "details",
    { style: { "margin-top": "1.2rem" } },
    el("summary", {}, "Download & share"),
    el(
      "div.stack",
      {},
      el(
        "div.row",
        {},
        files,
        (result.curve || result.methods) &&
          el("button", { type: "button", onclick: () => saveText(csv(result), `${short}.csv`) }, "Curve (CSV)"),
      ),
      el(
        "div.row",
        {},
        copy("Copy link", () => location.href),
        copy("Copy as curl", curl(job, names)),
        taskOf(job).python && copy("Copy as Python", python(job, names)),
        copy("Copy citation", citation(result)),
        said,
      ),
      code,
    ),
  );
}

/** Return the files that a job has one of: what its links call each, its title, and the ending of its name. */
function downloads(job) {
  const own = taskOf(job).files.filter(({ key, many }) => !many && job.links[key]);
  return [
    ...OF_ALL,
    ...own.map(({ key, title }) => [key, `${title} (${ending(job.links[key]).toUpperCase()})`, ending(job.links[key])]),
  ];
}

const ending = (path) => path.slice(path.lastIndexOf(".") + 1);

function curl(job, names) {
  const params = JSON.stringify(asked(job)).replaceAll("'", "'\\''");
  const header = key.get() ? '-H "Authorization: Bearer $EP_API_KEY" ' : "";
  const part = partOf(job.params.target);
  const second = part ? [`-F ${part}=@${SECOND}`] : [];
  const images = [...names.map((name) => `-F image=@${name}`), ...second].join(" ");
  return `curl ${header}${images} -F 'params=${params}' ${location.origin}${root}/v1/jobs`;
}

function python(job, names) {
  const task = taskOf(job);
  const values = Object.entries(asked(job)).filter(([name]) => name !== "task" && name !== "model");
  const second = partOf(job.params.target) ? `, target_picture=${JSON.stringify(SECOND)}` : "";
  const opened = names.map((name) => `Image.open(${JSON.stringify(name)})`).join(", ");
  return [
    "import ep_core",
    "from PIL import Image",
    "",
    `model = ep_core.load_model(${JSON.stringify(job.params.model)})`,
    `spec = ep_core.${task.spec}(${values.map(([name, value]) => `${name}=${literal(value)}`).join(", ")})`,
    `result = ep_core.${task.python}(model, ${takesSeveral(task) ? `[${opened}]` : opened}, spec${second})`,
  ].join("\n");
}

/** Return names for the images, which only whoever posted them knows. */
function photographs(result) {
  const count = result.images?.length || 1;
  return count === 1 ? ["photo.jpg"] : Array.from({ length: count }, (_, k) => `photo${k + 1}.jpg`);
}

function literal(value) {
  if (Array.isArray(value)) return `(${value.map(literal).join(", ")}${value.length === 1 ? "," : ""})`;
  if (typeof value === "boolean") return value ? "True" : "False";
  return JSON.stringify(value);
}

/** Return the points of all curves as a table; a comparison's have their method's name. */
function csv(result) {
  const points = result.curve ||
    result.methods.flatMap((one) => one.curve.map((point) => ({ method: one.method, ...point })));
  const columns = Object.keys(points[0]).filter((name) => !["mask", "overlay", "predictions"].includes(name));
  return [columns.join(","), ...points.map((one) => columns.map((name) => one[name]).join(","))].join("\n");
}
