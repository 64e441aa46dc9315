// A box on an image: drawn by hand, or shown.

import { boxMark } from "./box.js";
import { el, show } from "./dom.js";

const SMALLEST = 2; // pixels of the image: less is a click

/**
 * Return an image on which a box can be drawn: `{node, mark(box), allow(on)}`.
 *
 * `onDrawn([left, top, right, bottom])` is told of each, in whole pixels of the image.
 */
export function drawing(image, onDrawn) {
  const marks = el("span");
  const node = el(
    "span.drawing",
    { onpointerdown: begin, onpointermove: move, onpointerup: end, onpointercancel: stop },
    image,
    marks,
  );
  let start = null;
  let shown = null;
  image.draggable = false;
  image.addEventListener("load", () => mark(shown));

  function mark(box) {
    shown = box;
    show(marks, box && image.naturalWidth ? boxMark(box, size()) : null);
  }

  const size = () => ({ width: image.naturalWidth, height: image.naturalHeight });

  function point(event) {
    const { left, top, width, height } = image.getBoundingClientRect();
    const within = (share, side) => Math.round(Math.min(Math.max(share, 0), 1) * side);
    return [
      within((event.clientX - left) / width, image.naturalWidth),
      within((event.clientY - top) / height, image.naturalHeight),
    ];
  }

  function boxTo([x, y]) {
    return [Math.min(start[0], x), Math.min(start[1], y), Math.max(start[0], x), Math.max(start[1], y)];
  }

  function begin(event) {
    if (!node.classList.contains("on") || !image.naturalWidth) return;
    start = point(event);
    node.setPointerCapture(event.pointerId);
  }

  function move(event) {
    if (start) show(marks, boxMark(boxTo(point(event)), size()));
  }

  function end(event) {
    if (!start) return;
    const box = boxTo(point(event));
    stop();
    if (box[2] - box[0] >= SMALLEST && box[3] - box[1] >= SMALLEST) onDrawn(box);
  }

  function stop() {
    start = null;
    mark(shown);
  }

  return { node, mark, allow: (on) => node.classList.toggle("on", on) };
}
