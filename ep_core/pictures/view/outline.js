// The outline of a mask: a light line in a dark one, so that it is seen on every photograph.

import { make } from "./canvas.js";

const LINES = [["#000", 2], ["#fff", 1]]; // from the outside inwards: colour, and times the width
const DIRECTIONS = 16;

/** Draw the outline of a mask, a canvas whose opacity it is, cut at a half. */
export function outline(context, mask) {
  const width = Math.max(1.5, Math.max(mask.width, mask.height) / 260);
  for (const [colour, times] of LINES) context.drawImage(ring(mask, times * width, colour), 0, 0);
}

/** Return what is within some pixels around a mask, in one colour. */
function ring(mask, size, colour) {
  const { width, height } = mask;
  const canvas = make(width, height);
  const context = canvas.getContext("2d");
  for (let k = 0; k < DIRECTIONS; k += 1) {
    const angle = (2 * k * Math.PI) / DIRECTIONS;
    context.drawImage(hard(mask), size * Math.cos(angle), size * Math.sin(angle));
  }
  context.globalCompositeOperation = "source-in";
  context.fillStyle = colour;
  context.fillRect(0, 0, width, height);
  context.globalCompositeOperation = "destination-out";
  context.drawImage(hard(mask), 0, 0);
  return canvas;
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
