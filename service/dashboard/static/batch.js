// A batch: how each of its images stands, and what was found, side by side and in a table.

import { get, picture, request, root } from "./api.js";
import { el, show } from "./dom.js";
import { foundPicture, seen } from "./pictured.js";
import { saveBlob, saveFrom, saveText } from "./save.js";
import { sideBySide } from "./sidebyside.js";
import { howFar, timeToGo } from "./togo.js";
import { removeLater } from "./undo.js";
import { className, done, needs } from "./words.js";
import { zipped } from "./zip.js";

const EVERY_MS = 1500;
const SIZE = 320;
const COLUMNS = ["Image", "Class", "Needs", "State", "Seconds"];

/** Show a batch in `stage`; returns what ends that. */
export function batchPage(stage, id, { changed }) {
  const ending = new AbortController();
  const path = `${root}/v1/batches/${id}`; // as its jobs' links have it
  const title = el("h1");
  const bar = el("progress", { max: 1, "aria-label": "Progress" });
  const words = el("p.dim", { role: "status" });
  const error = el("p.error", { role: "alert" });
  const items = [];
  const tiles = el("div.tiles.methods.gathering");
  const table = el("tbody");
  const compared = sideBySide((area) => items.forEach((item) => draw(item, area)));
  const left = timeToGo();

  async function look() {
    if (ending.signal.aborted) return;
    try {
      const batch = await get(path, { signal: ending.signal });
      error.textContent = "";
      await tell(batch);
      if (batch.done) return;
    } catch (problem) {
      if (ending.signal.aborted) return;
      error.textContent = problem.status === 404
        ? "There is no such batch: it was removed, or has expired."
        : problem.message;
      if (problem.status === 404) return;
    }
    setTimeout(look, EVERY_MS);
  }

  async function tell(batch) {
    const count = batch.jobs.length;
    document.title = `${done(batch.fraction)} · Extremal perturbations`;
    title.textContent = batch.done ? `${count} images` : `${count} images, ${batch.counts.succeeded || 0} done`;
    bar.hidden = batch.done;
    bar.value = batch.fraction;
    words.hidden = batch.done;
    words.textContent = batch.done ? "" : howFar(batch.fraction, left(batch.fraction));
    await Promise.all(batch.jobs.map((now, k) => update(items[k] ||= added(now, k), now)));
    const ended = items.map((item) => item.job).filter((job) => job?.found);
    compared.offer(ended.map(({ links }) => Object.keys(links.overlays).map(Number)));
    changed();
  }

  /** Return an image's tile and row, put in their places. */
  function added(one, k) {
    const name = one.name || `Image ${k + 1}`;
    const item = {
      name,
      status: "nothing yet",
      job: null,
      error: null,
      image: el("img", { alt: name }),
      row: el("tr"),
    };
    item.words = el("figcaption");
    const node = el("figure", {}, item.image, item.words);
    tiles.append(one.job ? el("a.tile", { href: `#/job/${one.job}` }, node) : node);
    table.append(item.row);
    return item;
  }

  /** Take over how an image stands; its job is read where that has changed, first: what can't be read is read anew. */
  async function update(item, now) {
    if (now.status === "running") item.words.textContent = `running ${done(now.fraction)}`;
    if (now.status === item.status) return;
    if (now.job) item.job = await read(now.job, item.job);
    Object.assign(item, { status: now.status, error: now.error?.detail });
    item.words.textContent = caption(item);
    show(item.row, cells(item).map((text) => el("td", {}, text)));
    draw(item, compared.area());
  }

  const actions = [
    el("button", { type: "button", onclick: () => saveText(csv(items), `${id.slice(0, 8)}.csv`) }, "Table (CSV)"),
    el("button", { type: "button", onclick: save }, "Everything (zip)"),
    el("button", { type: "button", onclick: savePage }, "Page (HTML)"),
    el("button.danger", { type: "button", onclick: drop }, "Delete all"),
  ];

  /** Save the files of all results, those of each job in a zip of its own. */
  async function save() {
    try {
      const files = await Promise.all(
        items.filter(({ job }) => job?.links.bundle).map(async ({ job }) => ({
          name: `${job.id.slice(0, 8)}.zip`,
          bytes: new Uint8Array(await (await request(job.links.bundle)).arrayBuffer()),
        })),
      );
      saveBlob(
        zipped([{ name: "results.csv", bytes: new TextEncoder().encode(csv(items)) }, ...files]),
        `${id.slice(0, 8)}.zip`,
      );
    } catch (problem) {
      error.textContent = problem.message;
    }
  }

  /** Save what was found so far as one page that opens from disk. */
  function savePage() {
    saveFrom(`${path}/result.html`, `${id.slice(0, 8)}.html`, error);
  }

  function drop() {
    const here = location.hash;
    location.hash = "#/";
    removeLater(path, `Batch of ${items.length} images`, { changed, undone: () => (location.hash = here) });
  }

  const head = el("tr", {}, COLUMNS.map((text) => el("th", { scope: "col" }, text)));
  const results = el("div.scroll", {}, el("table", {}, el("thead", {}, head), table));
  show(stage, el("div.stack", {}, title, bar, words, error, compared.node, tiles, results, el("div.row", {}, actions)));
  look();
  return () => ending.abort();
}

function caption({ job, error, status }) {
  return job?.found
    ? [className(job.found), needs(job.found)].filter(Boolean).join(": ")
    : error || status || "removed";
}

/** Return a job as it is, or as it was `before` where it is removed. */
async function read(id, before) {
  return await get(`v1/jobs/${id}`).catch((problem) => problem.status === 404 ? before : Promise.reject(problem));
}

/** Show an image as it was posted or, when it is done, what was found in it at an area (null: at its own a*). */
function draw({ job, image }, area) {
  const source = job && ((job.found && foundPicture(job, area)) || seen(job, SIZE));
  if (source) picture(source).then((address) => (image.src = address)).catch(() => {});
}

/** Return a row of the table, as texts. */
function cells({ name, job, error, status }) {
  const [began, ended] = [job?.started_at, job?.finished_at].map((time) => time && new Date(time).getTime());
  const found = job?.found ? [className(job.found), needs(job.found)] : ["", ""];
  return [name, ...found, error || status || "removed", began && ended ? ((ended - began) / 1000).toFixed(1) : ""];
}

function csv(items) {
  const row = (texts) =>
    texts.map((text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)).join(",");
  return [COLUMNS, ...items.map(cells)].map(row).join("\n") + "\n";
}
