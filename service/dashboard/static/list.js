// All jobs: state, thumbnail, time; open, delete, filter.

import { get, picture, remove } from "./api.js";
import { ago, el, percent, show } from "./dom.js";

const EVERY_MS = 5000;
const STATES = { "": "All", queued: "Waiting", running: "Running", succeeded: "Done", failed: "Failed" };
const TASKS = { extremal: "Masks", compare: "Comparison", channels: "Channels", class_channels: "Class" };

/** Fill the section with the list; returns `{refresh, mark(id)}`. */
export function jobList(section) {
  const body = el("tbody");
  const none = el("p.dim", {}, "No jobs yet.");
  const more = el("button", { type: "button", hidden: true, onclick: () => load(next) }, "Older ones");
  const error = el("p.error", { role: "alert" });
  const filters = el("div.segments", { role: "group", "aria-label": "Which jobs" }, Object.entries(STATES).map(([value, text]) => el("button", { type: "button", value, "aria-pressed": String(value === ""), onclick: () => filter(value) }, text)));
  let [wanted, next, here, timer] = ["", null, null, null];

  function filter(value) {
    wanted = value;
    for (const button of filters.children) button.setAttribute("aria-pressed", String(button.value === value));
    refresh();
  }

  async function refresh() {
    clearTimeout(timer);
    await load(null);
    timer = setTimeout(refresh, EVERY_MS);
  }

  async function load(page) {
    try {
      const found = await get(page || `v1/jobs?limit=12${wanted && `&status=${wanted}`}`);
      error.textContent = "";
      const rows = found.jobs.map((job) => row(job, refresh, error));
      if (page) body.append(...rows);
      else if (!older()) show(body, rows);
      else rows.forEach((one) => replace(body, one));
      if (page || !older()) next = found.next;
      none.hidden = body.childElementCount > 0;
      more.hidden = !next;
      mark(here);
    } catch (problem) {
      if (problem.status) error.textContent = problem.message;
    }
  }

  const older = () => body.childElementCount > 12;

  function mark(id) {
    here = id;
    for (const one of body.children) one.classList.toggle("here", one.dataset.id === id);
  }

  const head = ["", "Job", "State", "Class", "Needs", "Posted", ""].map((text, k) => el(k === 3 || k === 4 ? "th.wide-only" : "th", { scope: "col" }, text || el("span.sr", {}, k ? "Delete" : "Image")));
  show(section, el("div.row.spread", {}, el("h2", {}, "Jobs"), filters), error, none, el("div.scroll", {}, el("table", {}, el("thead", {}, el("tr", {}, head)), body)), more);
  refresh();
  return { refresh, mark };
}

function replace(body, row) {
  const known = [...body.children].find((one) => one.dataset.id === row.dataset.id);
  if (known) known.replaceWith(row);
  else body.prepend(row);
}

function row(job, refresh, error) {
  const thumb = el("img.thumb", { alt: "" });
  if (job.links.images) picture(job.links.images[0]).then((address) => (thumb.src = address)).catch(() => {});
  const name = `${TASKS[job.params.task]} · ${job.params.model}`;
  const target = el("td.wide-only", {}, job.params.target === null ? "top class" : String(job.params.target));
  const needs = el("td.wide-only");
  if (job.status === "succeeded") summary(job, target, needs);
  const drop = async () => {
    await remove(job.links.self).catch((problem) => (error.textContent = problem.message));
    refresh();
  };
  const state = job.status === "running" && job.progress ? `running ${percent(job.progress.fraction)}` : job.status;
  const node = el(
    "tr",
    {},
    el("td", {}, thumb),
    el("td", {}, el("a", { href: `#/job/${job.id}` }, name)),
    el("td", {}, el(`span.state.${job.status}`, {}, state)),
    target,
    needs,
    el("td.dim", { title: new Date(job.created_at).toLocaleString() }, ago(job.created_at)),
    el("td", {}, el("button.quiet.danger", { type: "button", "aria-label": `Delete ${name}, posted ${ago(job.created_at)}`, onclick: drop }, "Delete")),
  );
  node.dataset.id = job.id;
  return node;
}

const summaries = new Map();
/** Fill in what a finished job found; asked once per job. */
async function summary(job, target, needs) {
  if (!summaries.has(job.id)) summaries.set(job.id, get(job.links.result).catch(() => null));
  const result = await summaries.get(job.id);
  if (!result) return;
  target.textContent = result.target.label || `class ${result.target.index}`;
  if (result.optimal_area) needs.textContent = result.optimal_area > 1 ? `${result.optimal_area} channels` : percent(result.optimal_area);
}
