// All jobs, newest first: filtered by state, kept up to date in place, so that nothing moves under a finger or the focus.

import { get } from "./api.js";
import { el, segments, select, show } from "./dom.js";
import { jobRow } from "./row.js";
import { ofAll } from "./task.js";
import { isGoing } from "./undo.js";

const EVERY_MS = 5000;
const PAGE = 12;
const STATES = { "": "All", queued: "Waiting", running: "Running", succeeded: "Done", failed: "Failed" };
const COLUMNS = [["Image", "sr"], ["Job"], ["State"], ["Class", "wide"], ["Needs", "wide"], ["Posted", "wide"], [
  "Edit and rerun, or delete",
  "sr",
]];

/** Fill the section with the list; `again(job, files)` asks anew. Returns `{refresh, mark(id)}`. */
export function jobList(section, again) {
  const rows = new Map();
  const body = el("tbody");
  const none = el("p.dim", { hidden: true });
  const more = el("button", { type: "button", hidden: true, onclick: () => load(next) }, "Older ones");
  const error = el("p.error", { role: "alert" });
  const filters = segments("Which jobs", STATES, (status) => filter({ status }));
  const table = el(
    "div.scroll",
    {},
    el("table.joblist", {}, el("thead", {}, el("tr", {}, COLUMNS.map(heading))), body),
  );
  const task = select({ "": "All tasks", ...ofAll("title") });
  let [wanted, next, here, timer, turn, hasOlder] = [{ status: "", task: "" }, null, null, null, 0, false];

  function filter(changes) {
    wanted = { ...wanted, ...changes };
    filters.mark(wanted.status);
    rows.clear();
    hasOlder = false;
    refresh();
  }

  async function refresh() {
    clearTimeout(timer);
    const mine = (turn += 1);
    await load(null);
    if (mine === turn) timer = setTimeout(refresh, EVERY_MS);
  }

  async function load(page) {
    const filtered = wanted;
    try {
      const found = await get(page || firstPage(wanted));
      if (filtered !== wanted) return; // of another filter by now
      error.textContent = "";
      hasOlder ||= Boolean(page);
      if (page || !hasOlder) next = found.next;
      if (!page) forget(found.jobs);
      found.jobs.forEach(keep);
      draw();
    } catch (problem) {
      if (problem.status) error.textContent = problem.message; // the banner says where the API is away
    }
  }

  /** Let go of rows that the first page would have if they still were there. */
  function forget(jobs) {
    const ids = new Set(jobs.map((job) => job.id));
    const oldest = hasOlder ? jobs.at(-1)?.created_at || "" : "";
    for (const [id, row] of rows) if (!ids.has(id) && row.created >= oldest) rows.delete(id);
  }

  function keep(job) {
    if (!rows.has(job.id)) {
      rows.set(
        job.id,
        jobRow(job, { again, changed, said: (problem) => (error.textContent = problem.message) }),
      );
    }
    rows.get(job.id).update(job);
  }

  /** Show what is about to be deleted no more, and what was as it is. */
  function changed() {
    draw();
    refresh();
  }

  function draw() {
    const sorted = [...rows.values()].filter((row) => !row.paths.some(isGoing)).sort((
      a,
      b,
    ) => (a.created < b.created ? 1 : -1));
    const nodes = new Set(sorted.map((row) => row.node));
    for (const node of [...body.children]) if (!nodes.has(node)) node.remove();
    sorted.forEach((row, k) => body.children[k] !== row.node && body.insertBefore(row.node, body.children[k] || null));
    none.hidden = sorted.length > 0;
    none.textContent = wanted.status || wanted.task ? "None." : "No jobs yet.";
    table.hidden = !sorted.length;
    more.hidden = !next;
    mark(here);
  }

  function mark(id) {
    here = id;
    for (const [one, row] of rows) row.node.classList.toggle("here", one === id);
  }

  show(
    section,
    el("div.row.spread", {}, el("h2", {}, "Jobs"), el("div.row", {}, task, filters.node)),
    error,
    none,
    table,
    more,
  );
  task.setAttribute("aria-label", "Task");
  task.addEventListener("change", () => filter({ task: task.value }));
  filter({});
  return { refresh: changed, mark };
}

function firstPage(wanted) {
  const filters = Object.entries(wanted).filter(([, value]) => value);
  return `v1/jobs?${new URLSearchParams([["limit", PAGE], ...filters])}`;
}

function heading([text, kind]) {
  return el(kind === "wide" ? "th.wide-only" : "th", { scope: "col" }, kind === "sr" ? el("span.sr", {}, text) : text);
}
