// A box of the image: the one that a target names, and its mark.

import { el } from "./dom.js";

/** Return the box of a target of the API's, as [left, top, right, bottom]; null for none. */
export function boxOf(target) {
  const box = target?.box ?? target?.within;
  return Array.isArray(box) ? box : null;
}

/** Return the mark of a box on an image that fills what it is put into. */
export function boxMark([left, top, right, bottom], { width, height }) {
  return el("span.box-mark", {
    "aria-hidden": "true",
    style: {
      left: `${100 * left / width}%`,
      top: `${100 * top / height}%`,
      width: `${100 * (right - left) / width}%`,
      height: `${100 * (bottom - top) / height}%`,
    },
  });
}
