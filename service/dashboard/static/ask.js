// The form: what to find, images, the class, one button that says what it still needs.

import { ApiError, post, postedTarget } from "./api.js";
import { choices } from "./choices.js";
import { el, show } from "./dom.js";
import { dropAnywhere } from "./dropping.js";
import { pictures } from "./pictures.js";
import { rememberAsked } from "./place.js";
import { takesSeveral, TASKS } from "./task.js";
import { targets } from "./targets.js";

/** Fill the section with the form; `onPosted(address)` gets where what was made is shown. Returns `{fill, load, open}`. */
export function ask(section, onPosted) {
  const panel = el("div.stack");
  const error = el("p.error", { role: "alert" });
  const go = el("button.primary", { type: "submit", disabled: true });
  const target = targets({ onBox: (box) => images.mark(box), onChange: tell });
  const images = pictures({ onChange: taken, onDrawn: (box) => target.draw(box), onUnshown: check });
  const how = choices(panel, { onModel: modelChanged, onTurn: turned, onChange: tell });
  let isBusy = false;
  let seen = null; // what the offered classes are of
  let turn = 0;
  const checked = new WeakSet(); // files that the service was asked about

  /** Note a choice of images: of several where one is asked about, all are. */
  function taken(count) {
    error.textContent = "";
    if (count > 1 && !how.isSeveral()) how.turnToSeveral(); // which looks at them
    else look();
  }

  function turned() {
    images.several(how.isSeveral());
    rememberAsked(how.place());
    look();
  }

  function modelChanged(card) {
    target.offer(card);
    images.drawable(target.takesBoxes());
    seen = null;
    look();
  }

  /** Offer the classes that the model sees in the first image, and say what is wrong with it or with the model. */
  async function look() {
    const [file = null] = images.files();
    section.classList.toggle("chosen", file !== null);
    tell();
    if (file === seen) return;
    seen = file;
    const mine = (turn += 1);
    const problem = await target.of(file, how.model.value());
    if (mine !== turn) return; // another image by now, or another model
    if (isOfImage(problem)) images.fault(file, problem.message);
    else if (isOfModel(problem)) how.model.failed(problem, again);
    else if (file && !problem) how.model.answered();
    tell();
  }

  function again() {
    how.model.failed(null);
    seen = null;
    look();
  }

  /** Ask the service about an image that the browser can't show. */
  async function check(file) {
    if (file === images.files()[0] || checked.has(file)) return; // the first is looked at anyway
    checked.add(file);
    const problem = await post("v1/classify", { image: file, top: 1 }).then(() => null, (found) => found);
    if (isOfImage(problem)) images.fault(file, problem.message);
    tell();
  }

  /** Say on the button what it does, or what is needed first. */
  function tell() {
    const count = images.files().length;
    const lacks = missing(count);
    go.disabled = isBusy || lacks !== null;
    go.textContent = lacks ?? (how.isSeveral() && count > 1 ? `Explain ${count} images` : "Explain");
  }

  function missing(count) {
    const bad = images.faulty().length;
    if (!count) return how.isSeveral() ? "Choose images first" : "Choose an image first";
    if (bad) {
      return count === 1
        ? "This image can’t be used"
        : `Leave out ${bad === 1 ? "the image" : `the ${bad} images`} that can’t be used`;
    }
    return how.lacks() ?? target.lacks();
  }

  async function submit(event) {
    event.preventDefault();
    error.textContent = "";
    isBusy = true;
    tell();
    try {
      onPosted(
        await send(images.files(), { ...how.params(), target: target.value() }, target.pictures(), how.isMany()),
      );
    } catch (problem) {
      error.textContent = words(problem);
    } finally {
      isBusy = false;
      tell();
    }
  }

  /** Take over a job's images and parameters, to be changed and asked again; or with another model, which is to be chosen. */
  async function fill(job, files, { otherModel = false } = {}) {
    more.open = !otherModel;
    await how.set(job.params);
    images.replace(files);
    target.set(job.params.target, await postedTarget(job).catch(() => ({})));
    section.scrollIntoView({ behavior: "smooth" });
    if (otherModel) how.model.open();
    else go.focus({ preventScroll: true });
  }

  const more = el("details", {}, el("summary", {}, "More choices"), el("div.stack", {}, how.more));
  panel.append(how.asked, images.node, target.node, how.model.node, ...how.direct, more);
  show(
    section,
    el(
      "form.stack",
      { onsubmit: submit },
      el("h2.sr", {}, "Explain an image"),
      how.tabs,
      panel,
      el("div.go", {}, error, go),
    ),
  );
  dropAnywhere((files) => {
    images.take(files);
    section.scrollIntoView({ behavior: "smooth", block: "nearest" });
  });
  how.model.load();
  tell();
  return { fill, load: how.model.load, open: how.open };
}

/** Post one job, or a batch where each of several images is one; return the page's address for it. */
async function send(files, params, pictures, isMany) {
  const parts = { image: files, params, keep_images: "true", ...pictures };
  if (!isMany || takesSeveral(TASKS[params.task])) return `#/job/${(await post("v1/jobs", parts)).id}`;
  return `#/batch/${(await post("v1/batches", parts)).id}`;
}

const isOf = (problem, kinds) => problem instanceof ApiError && kinds.test(problem.problem.type ?? "");
const isOfImage = (problem) => isOf(problem, /(unreadable-image|image-too-large|upload-too-large)$/);
const isOfModel = (problem) => isOf(problem, /model-unavailable$/);

function words(problem) {
  const errors = problem instanceof ApiError ? problem.problem.errors : null;
  return errors ? errors.map((one) => `${one.field}: ${one.detail}`).join("\n") : problem.message;
}
