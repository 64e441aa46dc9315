// One job in the list.

import { picture, posted, remove, sized } from "./api.js";
import { el } from "./dom.js";
import { written } from "./target.js";
import { taskOf } from "./task.js";
import { ago, className, done, needs } from "./words.js";

const THUMB = 96; // twice what is shown, for fine screens

/** Return a job's row: `{node, created, update(job)}`; what goes wrong is told to `said(problem)`. */
export function jobRow(job, { again, changed, said }) {
  const name = `${taskOf(job).title} · ${job.params.model}`;
  const [state, target, needed, time] = [el("span"), el("td.wide-only"), el("td.wide-only"), el("td.time.dim")];
  const when = new Date(job.created_at).toLocaleString();
  const ask = () => posted(job).then((files) => again(job, files)).catch(said);
  const drop = () => remove(job.links.self).then(changed).catch(said);
  const node = el(
    "tr",
    {},
    el("td", {}, thumb(job)),
    el(
      "td.name",
      {},
      el("a", { href: `#/job/${job.id}` }, name),
      job.batch && [el("br"), el("a.dim", { href: `#/batch/${job.batch}` }, "one of a batch")],
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
          { type: "button", "aria-label": `Ask again: ${name}, posted ${when}`, onclick: ask },
          "Again",
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
  function update(now) {
    state.className = `state ${now.status}`;
    state.textContent = now.status === "running" && now.progress
      ? `running ${done(now.progress.fraction)}`
      : now.status;
    time.textContent = ago(now.created_at);
    if (!now.found) return;
    target.textContent = className(now.found);
    needed.textContent = needs(now.found);
  }

  return { node, created: job.created_at, update };
}

const asked = (target) => (target === null ? "top class" : written(target));

function thumb(job) {
  const image = el("img.thumb", { alt: "", loading: "lazy" });
  const [first] = job.links.images || [];
  if (first) picture(sized(first, THUMB)).then((address) => (image.src = address)).catch(() => {});
  return image;
}
