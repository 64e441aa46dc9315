// Small grey pictures of masks and maps, as events bring them: their values, their means, and where they lie on the photograph.

import { ground, make } from "./canvas.js";

const EVEN = 2.5;

/** Return the values of a small picture, `{width, height, values}` in [0, 255]. */
export async function read(address) {
  const { width, height, data } = await ground(address);
  return { width, height, values: Float32Array.from({ length: width * height }, (_, k) => data[4 * k]) };
}

/** Return the sum of pictures of one size over `count`: those that are not there yet count as 0. */
export function mean(pictures, count) {
  const [{ width, height }] = pictures;
  const values = new Float32Array(width * height);
  for (const one of pictures) for (let k = 0; k < values.length; k += 1) values[k] += one.values[k] / count;
  return { width, height, values };
}

/** Return the picture by which a blur is dosed evenly to the eye: the first steps out of focus are the ones that are seen. */
export const focused = (one) => ({ ...one, values: one.values.map((value) => 255 * (1 - (1 - value / 255) ** EVEN)) });

/** Return a picture that is `share` of the way from `a` (null: all 0) to `b`. */
export function between(a, b, share) {
  const from = a?.values.length === b.values.length ? a.values : new Float32Array(b.values.length);
  return { ...b, values: b.values.map((value, k) => from[k] + share * (value - from[k])) };
}

/** Return a picture as it lies on the photograph, drawn `width` x `height` pixels large: its `values`, and a `canvas` whose opacity they are. */
export function laid(small, { frame, image }, { width, height }) {
  const canvas = make(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const scale = width / image.width;
  const [x, y] = [frame.left * scale, frame.top * scale];
  context.imageSmoothingQuality = "high";
  context.drawImage(opaque(small), x, y, frame.right * scale - x, frame.bottom * scale - y);
  const { data } = context.getImageData(0, 0, width, height);
  return { canvas, values: Uint8Array.from({ length: width * height }, (_, k) => data[4 * k + 3]) };
}

/** Return a white canvas of the picture's size whose opacity are its values. */
function opaque({ width, height, values }) {
  const canvas = make(width, height);
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  pixels.data.fill(255);
  values.forEach((value, k) => (pixels.data[4 * k + 3] = value));
  context.putImageData(pixels, 0, 0);
  return canvas;
}

/** Return a canvas for masks and maps alone, where the image isn't kept, `{canvas, draw({mask})}`; `longest` in pixels. */
export function blank({ image: { width, height } }, longest) {
  const scale = longest / Math.max(width, height);
  const canvas = make(Math.round(width * scale), Math.round(height * scale));
  canvas.className = "reveal";
  const context = canvas.getContext("2d");

  function draw({ mask }) {
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(mask.canvas, 0, 0);
  }

  return { canvas, draw };
}
