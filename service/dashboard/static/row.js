// One job in the list.

import { picture, posted, sized } from "./api.js";
import { el } from "./dom.js";
import { written } from "./target.js";
import { taskOf } from "./task.js";
import { removeLater } from "./undo.js";
import { ago, className, done, needs } from "./words.js";

const THUMB = 96; // twice what is shown, for fine screens

/** Return a job's row: `{node, created, paths, update(job)}`; with one of `paths`, it is deleted; what goes wrong is told to `said(problem)`. */
export function jobRow(job, { again, changed, said }) {
  const name = `${taskOf(job).title} · ${job.params.model}`;
  const [state, image] = [el("span"), el("img.thumb", { alt: "", loading: "lazy" })];
  const [target, needed, time] = [el("td.wide-only"), el("td.wide-only"), el("td.wide-only.dim")];
  const brief = el("div.narrow-only.dim"); // what the other columns say, where there is no room for them
  const when = new Date(job.created_at).toLocaleString();
  const ask = () => posted(job).then((files) => again(job, files)).catch(said);
  const drop = () => removeLater(job.links.self, name, { changed });
  const node = el(
    "tr",
    {},
    el("td", {}, image),
    el(
      "td.name",
      {},
      el("a", { href: `#/job/${job.id}` }, name),
      job.batch && [el("br"), el("a.dim", { href: `#/batch/${job.batch}` }, "one of a batch")],
      brief,
    ),
    el("td", {}, state),
    target,
    needed,
    time,
    el(
      "td.actions",
      {},
      job.links.images &&
        el(
          "button.quiet",
          { type: "button", "aria-label": `Edit and rerun: ${name}, posted ${when}`, onclick: ask },
          "Edit and rerun",
        ),
      el(
        "button.quiet.danger",
        { type: "button", "aria-label": `Delete ${name}, posted ${when}`, onclick: drop },
        "Delete",
      ),
    ),
  );
  node.dataset.id = job.id;
  time.title = when;
  target.textContent = asked(job.params.target);
  let pictured = null;

  function update(now) {
    const source = now.links.thumbnail && sized(now.links.thumbnail, THUMB);
    if (source && source !== pictured) {
      picture(pictured = source).then((address) => (image.src = address)).catch(() => {});
    }
    state.className = `state ${now.status}`;
    state.textContent = now.status === "running" && now.progress
      ? `running ${done(now.progress.fraction)}`
      : now.status;
    time.textContent = ago(now.created_at);
    if (now.found) [target.textContent, needed.textContent] = [className(now.found), needs(now.found)];
    brief.textContent = [target, needed, time].map((cell) => cell.textContent).filter(Boolean).join(" · ");
  }

  return { node, created: job.created_at, paths: [job.links.self, job.links.batch], update };
}

const asked = (target) => (target === null ? "top class" : written(target));
