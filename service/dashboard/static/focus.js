// The photograph of a running sweep, coming into focus under its current masks.

import { picture, sized } from "./api.js";
import { el, show } from "./dom.js";
import { once } from "./once.js";
import { defaultBlur, ownMode, revealer } from "./reveal.js";
import { between, blank, focused, laid, mean, read } from "./small.js";

const LONGEST = 640; // pixels of the longer side
const FRAMES = 8;
const FRAME_MS = 50;

/** Return the view, `{node, begin(job), learn(subject), masks(found), pick(area)}`: of all masks together, or of the area that was picked. */
export function focusView() {
  const node = el("div.focus");
  const known = new Map();
  const prepared = once(prepare);
  let [asked, subject, picked, seen, turn] = [null, null, null, null, 0];

  /** Show the job's photograph, out of focus. */
  async function begin(job) {
    asked = job;
    if (!job.links.images) return;
    const address = await photograph().catch(() => null);
    if (address && !node.firstChild) show(node, el("img.unfocused", { src: address, alt: "The image" }));
  }

  const photograph = () => picture(sized(asked.links.images[0], LONGEST));

  function learn(found) {
    subject ||= found;
  }

  async function masks(found) {
    for (const [k, small] of (await Promise.all(found.map(({ mask }) => read(mask)))).entries()) {
      known.set(found[k].area, small);
    }
    await turnTo();
  }

  function pick(area) {
    picked = area;
    turnTo().catch(() => {}); // the next masks try again
  }

  /** Move from what is seen to what is known now. */
  async function turnTo() {
    const wanted = picked === null ? all() : known.get(picked);
    if (!wanted || !subject) return;
    const mine = (turn += 1);
    const canvas = await prepared();
    const start = seen;
    const frames = matchMedia("(prefers-reduced-motion: reduce)").matches ? 1 : FRAMES;
    for (let k = 1; k <= frames && mine === turn; k += 1) {
      seen = between(start, wanted, k / frames);
      canvas.draw(seen);
      if (k < frames) await new Promise((resolve) => setTimeout(resolve, FRAME_MS));
    }
  }

  /** Return the mean of the areas' masks: the smaller the area that a pixel belongs to, the sharper it is. */
  const all = () => known.size > 0 && focused(mean([...known.values()], asked.params.areas.length));

  async function prepare() {
    const result = asResult(asked, subject);
    const made = asked.links.images ? await revealer(await photograph(), result) : blank(subject, LONGEST);
    const { canvas } = made;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `The image, sharpest where ${asked.params.model} needs it, as far as is known`);
    const side = asked.params.variant === "delete" ? "drop" : "keep";
    show(node, canvas);
    return {
      draw: (small) => made.draw({ mask: laid(small, subject, canvas), mode: ownMode(result), side, opacity: 1 }),
    };
  }

  return { node, begin, learn, masks, pick };
}

/** Return a running job as the result that it is about to have, as far as drawing it needs that. */
function asResult({ params }, { frame, image, resolution }) {
  const sigma = params.sigma_max ?? (params.perturbation === "blur" ? defaultBlur(resolution) : 1);
  return { params: { ...params, sigma_max: sigma }, frame, image, model: { resolution } };
}
