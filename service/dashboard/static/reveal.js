// The image under a mask, drawn in a canvas: what is kept stays sharp, the rest is blurred, black, or outlined.

import { blurPyramid, compose, fadePyramid } from "./pyramid.js";

/** Pixels of the longer side of what is shown. */
export const LONGEST = 900;
const BLUR_SIGMA_AT_224 = 20; // the engine's defaults, for the blur of a job that fades
const LEVELS = 8;

/** Return the mode that shows what the network was shown; patches that were left out are black. */
export const ownMode = (result) => (result.params.perturbation === "blur" ? "blur" : "black");

/** Return a canvas that shows a result's image under its masks: `{canvas, draw({mask, mode, side, opacity})}`. */
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
    if (mask && (mode === "blur" || mode === "black")) {
      pyramids[mode] ||= mode === "blur" ? blurPyramid(base, blurOf(result, frame)) : fadePyramid(base, fadeOf(result));
      compose(pyramids[mode], side === "drop" ? rest(mask, frame) : mask.values, opacity, shown);
      return context.putImageData(shown, 0, 0);
    }
    context.putImageData(base, 0, 0);
    if (!mask || mode === "original") return;
    context.globalAlpha = opacity;
    outline(context, mask.canvas);
  }

  return { canvas, draw };
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

/** Return what is left where the mask is taken away; the network sees nothing outside of its frame. */
function rest({ canvas: { width, height }, values }, { left, top, right, bottom }) {
  const others = values.map((value) => 255 - value);
  for (let y = 0, p = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, p += 1) if (x < left || x >= right || y < top || y >= bottom) others[p] = 0;
  }
  return others;
}

const fadeOf = ({ params }) => (params.perturbation === "fade" ? params.sigma_max : 1);

/** Return where the network's frame lies on the picture as it is shown, and how large its pixels are there. */
function frameOf({ frame, image, model }, { width, height }) {
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
  const strongest = ours
    ? params.sigma_max
    : (BLUR_SIGMA_AT_224 * Math.min(model.resolution.width, model.resolution.height)) / 224;
  return {
    frame: [left, top, right, bottom],
    levels: ours ? params.pyramid_levels : LEVELS,
    sigma: pixel.map((size) => strongest * size),
  };
}

function outline(context, mask) {
  const { width, height } = mask;
  const size = Math.max(1.5, Math.max(width, height) / 220);
  const ring = make(width, height);
  const inner = ring.getContext("2d");
  for (let k = 0; k < 16; k += 1) {
    const angle = (k * Math.PI) / 8;
    inner.drawImage(hard(mask), size * Math.cos(angle), size * Math.sin(angle));
  }
  inner.globalCompositeOperation = "source-in";
  inner.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--accent");
  inner.fillRect(0, 0, width, height);
  inner.globalCompositeOperation = "destination-out";
  inner.drawImage(hard(mask), 0, 0);
  context.drawImage(ring, 0, 0);
}

const hardened = new WeakMap();
/** Return a mask cut at a half. */
function hard(mask) {
  if (hardened.has(mask)) return hardened.get(mask);
  const { width, height } = mask;
  const canvas = make(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(mask, 0, 0);
  const pixels = context.getImageData(0, 0, width, height);
  for (let k = 3; k < pixels.data.length; k += 4) pixels.data[k] = pixels.data[k] < 128 ? 0 : 255;
  context.putImageData(pixels, 0, 0);
  hardened.set(mask, canvas);
  return canvas;
}

/** Return a picture on a canvas of a size, transparent parts on white as the network gets them. */
function drawn(image, width, height) {
  const canvas = make(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0, width, height);
  return canvas;
}

function make(width, height) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  return canvas;
}

/** Return a picture, its colour profile left out of account as the engine does. */
async function bitmap(address) {
  const image = new Image();
  image.src = address;
  await image.decode();
  return createImageBitmap(image, { colorSpaceConversion: "none" });
}
