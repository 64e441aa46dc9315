// Another result beside this one, under the same slider: another class, model, photograph or seed, and where the masks differ.

import { get, picture, request, sized } from "./api.js";
import { ground, make } from "./canvas.js";
import { difference } from "./difference.js";
import { el, field, options, select, show } from "./dom.js";
import { filesOf } from "./files.js";
import { masked } from "./masked.js";
import { onceEach } from "./once.js";
import { place, remember } from "./place.js";
import { alphaMask } from "./reveal.js";
import { maskOf } from "./which.js";
import { ago, className, done } from "./words.js";

const SIZE = 480; // pixels of the longer side of the difference
const MOST = 50; // results on offer
const UNTOLD = ["model", "target", "task", "check_extremality", "alternatives", "contrast"]; // told, or no part of the masks
const LISTED = `v1/jobs?limit=${MOST}&status=succeeded&task=extremal`;

/** Return the choice of another result and, below it, both: `{node, mark(state)}`. */
export function beside(job, result) {
  const list = select({ "": "Choose one …" });
  const panel = el("div.stack");
  const error = el("p.error", { role: "alert" });
  const chosen = place().view.with ?? "";
  let [state, pair, isOffered, turn] = [null, null, false, 0];

  async function offer() {
    if (isOffered) return;
    isOffered = true;
    const { jobs } = await get(LISTED);
    const others = jobs.filter(({ id }) => id !== job.id).map((one) => [one.id, named(one, job)]);
    options(
      list,
      { "": others.length ? "Choose one …" : "There is no other yet", ...Object.fromEntries(others) },
      chosen,
    );
    if (chosen) await choose(chosen);
  }

  async function choose(id) {
    const mine = (turn += 1);
    error.textContent = "";
    remember({ with: id || null });
    try {
      const found = id ? await pairOf({ job, result }, await load(id)) : null;
      if (mine !== turn) return; // another one by now
      pair = found;
      show(panel, pair?.node);
      await pair?.draw(state);
    } catch (problem) {
      if (mine === turn) tell(problem);
    }
  }

  const tell = (problem) => (error.textContent = problem.message);
  list.addEventListener("change", () => choose(list.value));
  const node = el(
    "details",
    { open: Boolean(chosen), ontoggle: () => node.open && offer().catch(tell) },
    el("summary", {}, "Compare with another result"),
    el("div.stack", {}, field("The other result", list), error, panel),
  );

  function mark(now) {
    state = now;
    pair?.draw(now).catch(tell);
  }

  return { node, mark };
}

async function load(id) {
  const job = await get(`v1/jobs/${id}`);
  return { job, result: await get(job.links.result) };
}

/** Return what another job is called beside this one: its class, its model, and which parameters differ. */
function named(other, { params }) {
  const differ = Object.keys(params).filter((name) =>
    !UNTOLD.includes(name) && JSON.stringify(params[name]) !== JSON.stringify(other.params[name])
  ).map((name) => `${name.replaceAll("_", " ")} ${other.params[name]}`);
  return [className(other.found), other.params.model, ...differ.slice(0, 2), ago(other.created_at)].join(" · ");
}

/** Return two results beside each other, and their difference where they are of one image: `{node, draw(state)}`. */
async function pairOf(one, other) {
  const sides = [one, other].map(({ job, result }) => ({
    result,
    view: masked(result, filesOf(job)),
    says: el("figcaption"),
  }));
  const between = await areOfOneImage(one.job, other.job) && await differenceOf(one);
  const figures = sides.map(({ view, says }) => el("figure", {}, view.node, says));
  const nothing = el("p.dim", {}, "They are of different images, so there is no difference to show.");

  async function draw(state) {
    const { area } = one.result.curve[state.k];
    const masks = sides.map(({ result }) => maskOf(result, { k: nearest(result, area), which: null }));
    sides.forEach(({ result, says }, k) =>
      show(says, el("b", {}, className(result)), ` · ${result.model.name} · ${masks[k].says}`)
    );
    await Promise.all([...sides.map(({ view }, k) => view.draw(masks[k], state)), between && between.draw(masks)]);
  }

  return { node: el("div.pair", {}, figures, between ? between.node : nothing), draw };
}

/** Return which area of a result is nearest to one. */
function nearest({ curve }, area) {
  const far = curve.map((one) => Math.abs(one.area - area));
  return far.indexOf(Math.min(...far));
}

/** Return the difference of two results of one image: `{node, draw(masks)}`. */
async function differenceOf({ job }) {
  const base = await ground(await picture(sized(job.links.images[0], SIZE)));
  const maskAt = onceEach(async (path) => (await alphaMask(await picture(path), base)).values);
  const canvas = make(base.width, base.height);
  const says = el("figcaption");
  canvas.className = "reveal";
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "Where the two masks differ");

  let wanted = null;

  async function draw(masks) {
    const mine = wanted = {};
    const [first, second] = await Promise.all(masks.map(({ mask }) => maskAt(mask)));
    if (mine !== wanted) return; // another area by now
    const context = canvas.getContext("2d");
    const shown = context.createImageData(base);
    const common = difference(base, first, second, shown);
    context.putImageData(shown, 0, 0);
    show(
      says,
      el("b", {}, "Difference"),
      ` · ${done(common)} in common of what either keeps · `,
      el("i.only-first"),
      "only the first ",
      el("i.only-second"),
      "only the second",
    );
  }

  return { node: el("figure", {}, canvas, says), draw };
}

/** Return whether two jobs were posted with the same image. */
async function areOfOneImage(...jobs) {
  if (!jobs.every((job) => job.links.images)) return false;
  const [first, second] = await Promise.all(
    jobs.map(async (job) => new Uint8Array(await (await request(job.links.images[0])).arrayBuffer())),
  );
  return first.length === second.length && first.every((byte, k) => byte === second[k]);
}
