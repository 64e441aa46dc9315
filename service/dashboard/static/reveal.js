// The image under a mask, drawn in a canvas: what is kept stays sharp, the rest is blurred, black, or outlined.

import { blurPyramid, compose, fadePyramid } from "./pyramid.js";

const LONGEST = 900;
const BLUR_SIGMA_AT_224 = 20; // the engine's defaults, for the blur of a job that fades
const LEVELS = 8;

/** Return the mode that shows what the network was shown. */
export const ownMode = (result) => (result.params.perturbation === "fade" ? "black" : "blur");

/** Return a canvas that shows a result's image under its masks: `{canvas, draw({mask, mode, strength})}`; `largest` is the largest mask. */
export async function revealer(imageAddress, result, largest) {
  const canvas = scaled(await bitmap(imageAddress));
  canvas.className = "reveal";
  const context = canvas.getContext("2d");
  const base = context.getImageData(0, 0, canvas.width, canvas.height);
  const shown = context.createImageData(base);
  const pyramids = {};

  function draw({ mask, mode, opacity }) {
    if (mask && (mode === "blur" || mode === "black")) {
      pyramids[mode] ||= mode === "blur" ? blurPyramid(base, blurOf(result, largest)) : fadePyramid(base, fadeOf(result));
      compose(pyramids[mode], mask.values, opacity, shown);
      return context.putImageData(shown, 0, 0);
    }
    context.putImageData(base, 0, 0);
    if (!mask || mode === "original") return;
    context.globalAlpha = opacity;
    outline(context, mask.canvas, canvas.width, canvas.height);
  }

  return { canvas, draw };
}

/** Return a mask picture (grey): its `values`, and a `canvas` whose opacity they are. */
export async function alphaMask(address) {
  const canvas = scaled(await bitmap(address));
  const context = canvas.getContext("2d");
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  const values = new Uint8Array(canvas.width * canvas.height);
  for (let k = 0; k < values.length; k += 1) pixels.data[4 * k + 3] = values[k] = pixels.data[4 * k];
  context.putImageData(pixels, 0, 0);
  return { canvas, values };
}

const fadeOf = ({ params }) => (params.perturbation === "fade" ? params.sigma_max : 1);

/** Return how the network's input was blurred, on the picture as it is shown. */
function blurOf(result, largest) {
  const [height, width] = result.model.input_size;
  const ours = result.params.perturbation === "blur";
  const strongest = ours ? result.params.sigma_max : (BLUR_SIGMA_AT_224 * Math.min(width, height)) / 224;
  const frame = frameOf(result, largest);
  const [left, top, right, bottom] = frame;
  return { frame: frame.map(Math.round), levels: ours ? result.params.pyramid_levels : LEVELS, sigma: [(strongest * (right - left)) / width, (strongest * (bottom - top)) / height] };
}

/**
 * Return where the network's frame lies on the picture as it is shown: left, top, right, bottom.
 *
 * Results don't say how large a part a network crops. But a mask's mean over the frame is known, and that over the
 * picture is less by just that part.
 */
export function frameOf({ model, params, curve }, { canvas: { width, height }, values }) {
  const most = Math.min(width / model.input_size[1], height / model.input_size[0]);
  const mean = values.reduce((sum, value) => sum + value, 0) / 255 / values.length;
  const part = mean / curve[curve.length - 1].measured_area;
  if (params.fit === "stretch" || part > 0.99) return [0, 0, width, height];
  const scale = Math.min(most, Math.sqrt((part * width * height) / (model.input_size[0] * model.input_size[1])));
  const [x, y] = [(width - scale * model.input_size[1]) / 2, (height - scale * model.input_size[0]) / 2];
  return [x, y, width - x, height - y];
}

function outline(context, mask, width, height) {
  const size = Math.max(1.5, Math.max(width, height) / 220);
  const ring = make(width, height);
  const inner = ring.getContext("2d");
  for (let k = 0; k < 16; k += 1) {
    const angle = (k * Math.PI) / 8;
    inner.drawImage(hard(mask, width, height), size * Math.cos(angle), size * Math.sin(angle));
  }
  inner.globalCompositeOperation = "source-in";
  inner.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--accent");
  inner.fillRect(0, 0, width, height);
  inner.globalCompositeOperation = "destination-out";
  inner.drawImage(hard(mask, width, height), 0, 0);
  context.drawImage(ring, 0, 0);
}

const hardened = new WeakMap();
/** Return a mask cut at a half. */
function hard(mask, width, height) {
  if (hardened.get(mask)?.width === width) return hardened.get(mask);
  const canvas = make(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(mask, 0, 0, width, height);
  const pixels = context.getImageData(0, 0, width, height);
  for (let k = 3; k < pixels.data.length; k += 4) pixels.data[k] = pixels.data[k] < 128 ? 0 : 255;
  context.putImageData(pixels, 0, 0);
  hardened.set(mask, canvas);
  return canvas;
}

/** Return a picture as it is shown: small enough, transparent parts on white as the network gets them. */
function scaled(image) {
  const scale = Math.min(1, LONGEST / Math.max(image.width, image.height));
  const canvas = make(Math.max(1, Math.round(image.width * scale)), Math.max(1, Math.round(image.height * scale)));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
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
