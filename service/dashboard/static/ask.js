// The form: images, what to ask of them, one button.

import { ApiError, post, postedTarget } from "./api.js";
import { choices } from "./choices.js";
import { el, show } from "./dom.js";
import { pictures } from "./pictures.js";
import { place } from "./place.js";
import { takesSeveral, TASKS } from "./task.js";
import { targets } from "./targets.js";

/** Fill the section with the form; `onPosted(address)` gets where what was made is shown. Returns `{fill, load}`. */
export function ask(section, onPosted) {
  const error = el("p.error", { role: "alert" });
  const go = el("button.primary", { type: "submit" }, "Explain");
  const target = targets(() => how.model(), (box) => images.mark(box));
  const images = pictures((files) => {
    error.textContent = "";
    section.classList.add("chosen");
    go.textContent = files.length > 1 ? `Explain ${files.length} images` : "Explain";
    target.of(files[0]);
  }, (box) => target.draw(box));
  const how = choices(modelChanged);

  function modelChanged(card) {
    target.offer(card);
    images.drawable(target.takesBoxes());
    if (images.files().length) target.of(images.files()[0]);
  }

  async function submit(event) {
    event.preventDefault();
    error.textContent = "";
    go.disabled = true;
    try {
      await images.first();
      onPosted(await send(images.files(), { ...how.params(), target: target.value() }, target.pictures()));
    } catch (problem) {
      error.textContent = words(problem);
    } finally {
      go.disabled = false;
    }
  }

  /** Take over a job's images and parameters, to be changed and asked again. */
  async function fill(job, files) {
    images.take(files);
    more.open = true;
    await how.set(job.params);
    target.set(job.params.target, await postedTarget(job).catch(() => ({})));
    section.scrollIntoView({ behavior: "smooth" });
    go.focus({ preventScroll: true });
  }

  async function load() {
    const isFirst = !place().kind;
    if (isFirst) section.classList.add("chosen"); // by us, in a moment
    await how.load();
    if (!isFirst) return;
    await images.first().catch(() => {}); // the status line says what is wrong
  }

  const more = el("details", {}, el("summary", {}, "More choices"), how.node);
  show(
    section,
    el("form.stack", { onsubmit: submit }, el("h2", {}, "Explain an image"), images.node, target.node, go, error, more),
  );
  load();
  return { fill, load };
}

/** Post one job, or a batch where each of several images is one; return the page's address for it. */
async function send(files, params, pictures) {
  const parts = { image: files, params, keep_images: "true", ...pictures };
  if (files.length === 1 || takesSeveral(TASKS[params.task])) return `#/job/${(await post("v1/jobs", parts)).id}`;
  return `#/batch/${(await post("v1/batches", parts)).id}`;
}

function words(problem) {
  const errors = problem instanceof ApiError ? problem.problem.errors : null;
  return errors ? errors.map((one) => `${one.field}: ${one.detail}`).join("\n") : problem.message;
}
