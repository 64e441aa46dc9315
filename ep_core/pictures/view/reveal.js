// The image under a mask, drawn in a canvas: what is kept stays as it is, the rest is dimmed, blurred, black, or outlined.

import { bitmap, drawn } from "./canvas.js";
import { outline } from "./outline.js";
import { blurPyramid, compose, fadePyramid } from "./pyramid.js";
import { inverse, spotlight, veil } from "./shades.js";

/** Pixels of the longer side of what is shown. */
export const LONGEST = 900;
// The engine's defaults.
const BLUR_SIGMA_AT_224 = 20;
const LEVELS = 8;

/** Return the view that shows what the network was shown; patches that were left out are black. */
export const ownMode = (result) => (result.params.perturbation === "blur" ? "blur" : "black");

/**
 * Return a canvas that shows a result's image under its masks, `{canvas, frame, draw({mask, mode, side, opacity})}`; `frame` is
 * what the network sees on it, in pixels.
 */
export async function revealer(imageAddress, result) {
  const image = await bitmap(imageAddress);
  const canvas = drawn(image, image.width, image.height);
  const frame = frameOf(result, canvas);
  canvas.className = "reveal";
  const context = canvas.getContext("2d");
  const base = context.getImageData(0, 0, canvas.width, canvas.height);
  const shown = context.createImageData(base);
  const pyramids = {};

  function draw({ mask, mode, side = "keep", opacity }) {
    if (!mask || mode === "original") return context.putImageData(base, 0, 0);
    shown.data.set(base.data);
    if (mode !== "outline") shade(mode, side === "drop" ? inverse(mask.values) : mask.values, opacity);
    veil(base, frame, opacity, shown);
    context.putImageData(shown, 0, 0);
    if (mode !== "outline") return;
    context.globalAlpha = opacity;
    outline(context, mask.canvas);
    context.globalAlpha = 1;
  }

  function shade(mode, kept, opacity) {
    if (mode === "spotlight") return spotlight(base, kept, opacity, shown);
    pyramids[mode] ||= mode === "blur" ? blurPyramid(base, blurOf(result, frame)) : fadePyramid(base, fadeOf(result));
    compose(pyramids[mode], kept, opacity, shown);
  }

  return { canvas, frame, draw };
}

/** Return a mask picture (grey) at the size of what is shown: its `values`, and a `canvas` whose opacity they are. */
export async function alphaMask(address, { width, height }) {
  const canvas = drawn(await bitmap(address), width, height);
  const context = canvas.getContext("2d");
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  const values = new Uint8Array(canvas.width * canvas.height);
  for (let k = 0; k < values.length; k += 1) pixels.data[4 * k + 3] = values[k] = pixels.data[4 * k];
  context.putImageData(pixels, 0, 0);
  return { canvas, values };
}

const fadeOf = ({ params }) => (params.perturbation === "fade" ? params.sigma_max : 1);

/** Return where the network's frame lies on the picture as it is shown, and how large its pixels are there. */
export function frameOf({ frame, image, model }, { width, height }) {
  const edges = frame && [frame.left, frame.top, frame.right, frame.bottom].map((edge) => (edge * width) / image.width);
  const [left, top, right, bottom] = edges || [0, 0, width, height];
  const pixel = [(right - left) / model.resolution.width, (bottom - top) / model.resolution.height];
  const inside = (edge, size) => Math.round(Math.min(size, Math.max(0, edge))); // a padded frame reaches further
  return {
    left: inside(left, width),
    top: inside(top, height),
    right: inside(right, width),
    bottom: inside(bottom, height),
    pixel,
  };
}

/** Return how the network's input was blurred, on the picture as it is shown. */
function blurOf({ params, model }, { left, top, right, bottom, pixel }) {
  const ours = params.perturbation === "blur";
  const strongest = ours ? params.sigma_max : defaultBlur(model.resolution); // a job that fades has no blur of its own
  return {
    frame: [left, top, right, bottom],
    levels: ours ? params.pyramid_levels : LEVELS,
    sigma: pixel.map((size) => strongest * size),
  };
}

/** Return the sigma of the strongest blur at a resolution where a job names none, in the network's pixels. */
export const defaultBlur = ({ width, height }) => (BLUR_SIGMA_AT_224 * Math.min(width, height)) / 224;
