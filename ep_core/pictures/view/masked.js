// The image under one of its masks, at one place of the page, with what the network sees of it marked.

import { el, show } from "./dom.js";
import { once, onceEach } from "./once.js";
import { alphaMask, revealer } from "./reveal.js";
import { isCut } from "./seen.js";

/**
 * Return what is seen: `{node, hasImage, draw(one, {mode, side, opacity}), blob()}`, `one` of `maskOf`; without the image, its overlays.
 *
 * `image` is the address of the image (null: it isn't kept), and `open(path)` gives the address of a file of the result.
 * `mark` is a node that lies on the image; null for none.
 */
export function masked(result, { image, open }, mark = null) {
  const node = el("div");
  const hasImage = image !== null;
  const crop = isCut(result) && el("div.crop", {}, el("span", {}, "The network sees only this"));
  const loaded = once(load);
  const maskAt = onceEach(async (path) => alphaMask(await open(path), (await loaded()).canvas));
  let wanted = null;

  async function load() {
    const made = await revealer(await open(image), result);
    made.canvas.setAttribute("role", "img");
    const { canvas: { width, height }, frame: { left, top, right, bottom } } = made;
    const edges = {
      left: left / width,
      top: top / height,
      width: (right - left) / width,
      height: (bottom - top) / height,
    };
    for (const [name, share] of Object.entries(edges)) crop && crop.style.setProperty(name, `${100 * share}%`);
    node.className = "seen";
    node.style.setProperty("--shape", width / height);
    return made;
  }

  async function draw({ key, mask: path, overlay, name }, state) {
    wanted = key;
    if (!hasImage) return lay(key, overlay, name);
    const [drawing, mask] = [await loaded(), await maskAt(path)];
    if (wanted !== key) return; // another one by now
    drawing.draw({ ...state, mask });
    drawing.canvas.setAttribute("aria-label", `The image under ${name}`);
    if (crop) crop.hidden = state.mode === "original";
    if (!drawing.canvas.isConnected) show(node, drawing.canvas, crop, mark);
  }

  async function lay(key, overlay, name) {
    const address = await open(overlay);
    if (wanted === key) {
      show(node, el("img.picture", { src: address, alt: `${name[0].toUpperCase()}${name.slice(1)} over the image` }));
    }
  }

  async function blob() {
    const { canvas } = await loaded();
    return new Promise((resolve) => canvas.toBlob(resolve));
  }

  return { node, hasImage, draw, blob };
}
