// The image of a job under one of its masks, at one place of the page.

import { picture, sized } from "./api.js";
import { el, show } from "./dom.js";
import { alphaMask, LONGEST, revealer } from "./reveal.js";
import { percent } from "./words.js";

/** Return what is seen: `{node, hasImage, draw({k, mode, side, opacity}), mask(k), blob()}`; without the image, its overlays. */
export function masked(job, result) {
  const node = el("div");
  const masks = new Map();
  const paths = (links) => new Map(Object.entries(links).map(([area, path]) => [Number(area), path]));
  const [maskPaths, overlays] = [paths(job.links.masks), paths(job.links.overlays)];
  const area = (k) => result.curve[k].area;
  const hasImage = Boolean(job.links.images); // else posted without `keep_images`
  let canvas = null;
  let wanted = null;

  async function load() {
    const made = await revealer(await picture(sized(job.links.images[0], LONGEST)), result);
    made.canvas.setAttribute("role", "img");
    return made;
  }

  async function draw(state) {
    wanted = state.k;
    if (!hasImage) return overlay(state.k);
    canvas ||= load();
    const drawing = await canvas;
    const { k } = state;
    if (!masks.has(k)) masks.set(k, picture(maskPaths.get(area(k))).then((address) => alphaMask(address, drawing.canvas)));
    const mask = await masks.get(k);
    if (wanted !== k) return; // another area by now
    drawing.draw({ mask, ...state });
    drawing.canvas.setAttribute("aria-label", `The image under the mask of ${percent(area(k))}`);
    if (!drawing.canvas.isConnected) show(node, drawing.canvas);
  }

  async function overlay(k) {
    const address = await picture(overlays.get(area(k)));
    if (wanted === k) show(node, el("img.picture", { src: address, alt: `The mask of ${percent(area(k))} over the image` }));
  }

  const blob = async () => new Promise((resolve) => canvas.then(({ canvas: drawn }) => drawn.toBlob(resolve)));

  return { node, hasImage, draw, mask: (k) => maskPaths.get(area(k)), blob };
}
