// Two masks of one image, and where they differ: in colour what both keep, tinted what one of them keeps.

import { light } from "./shades.js";

const DIMMED = 0.3;
const TINTS = [[26, 111, 176], [217, 95, 60]]; // of what only the first, and only the second keeps
const HALF = 128;

/**
 * Write to `out` (ImageData) the image under two masks, a byte per pixel; returns what they have in common, as a share of what
 * either keeps (intersection over union, each cut at a half), 1 where neither keeps anything.
 */
export function difference({ data }, first, second, out) {
  let [shared, either] = [0, 0];
  for (let p = 0, i = 0; p < first.length; p += 1, i += 4) {
    const inFirst = first[p] >= HALF;
    const inSecond = second[p] >= HALF;
    shared += inFirst && inSecond;
    either += inFirst || inSecond;
    const grey = DIMMED * light(data, i);
    const tint = inFirst !== inSecond && TINTS[inFirst ? 0 : 1];
    for (let c = 0; c < 3; c += 1) {
      out.data[i + c] = tint ? 0.45 * data[i + c] + 0.55 * tint[c] : inFirst ? data[i + c] : grey;
    }
    out.data[i + 3] = 255;
  }
  return either ? shared / either : 1;
}
