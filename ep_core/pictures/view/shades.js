// Shades of what is left out: dimmed and grey outside a mask, dark and hatched where the network never saw anything.

const DIMMED = 0.34; // of the light, outside the mask
const UNSEEN = 0.2; // outside the network's frame
const STRIPE = 12; // pixels from one line of the hatching to the next
const LINE = 1.5; // their width

/** Write to `out` (ImageData) the image in colour under `mask`, a byte per pixel, on its dimmed grey. */
export function spotlight({ data }, mask, strength, out) {
  for (let p = 0, i = 0; p < mask.length; p += 1, i += 4) {
    const grey = DIMMED * light(data, i);
    const share = 1 - strength * (1 - mask[p] / 255);
    for (let c = i; c < i + 3; c += 1) out.data[c] = grey + share * (data[c] - grey);
    out.data[i + 3] = 255;
  }
}

/** Write to `out` what lies outside the network's frame, as never seen. */
export function veil({ data, width, height }, { left, top, right, bottom }, strength, out) {
  for (let y = 0, i = 0; y < height; y += 1) {
    const inRows = y >= top && y < bottom;
    for (let x = 0; x < width; x += 1, i += 4) {
      if (inRows && x >= left && x < right) continue;
      const onLine = (x + y) % STRIPE < LINE;
      const grey = UNSEEN * light(data, i) + (onLine ? 70 : 30);
      for (let c = i; c < i + 3; c += 1) out.data[c] = data[c] + strength * (grey - data[c]);
    }
  }
}

/** Return a mask (bytes) that keeps what another one removes. */
export const inverse = (mask) => mask.map((value) => 255 - value);

/** Return the grey of the pixel whose red is at `i`. */
export const light = (data, i) => 0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2];
