// A photograph in the spotlight of a mask: in colour what it keeps, dimmed the rest, hatched what the network never saw.

import { spotlight, veil } from "./shades.js";

/** Draw a photograph (ImageData) under a mask of its size, a byte per pixel; `frame` is what the network sees of it, in pixels. */
export function spotlit(canvas, base, frame, mask) {
  [canvas.width, canvas.height] = [base.width, base.height];
  const context = canvas.getContext("2d");
  const shown = context.createImageData(base);
  spotlight(base, mask, 1, shown);
  veil(base, frame, 1, shown);
  context.putImageData(shown, 0, 0);
}
