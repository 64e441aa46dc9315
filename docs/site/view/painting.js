// A mask to paint: parameters of the lattice are set under the pointer; the mask and the blurred image follow.

import { bitmap, drawn, make } from "./canvas.js";
import { el, segments, show } from "./dom.js";
import { blurPyramid, compose } from "./pyramid.js";
import { lattice } from "./smooth.js";

// The engine's defaults at 224 pixels.
const CELLS = 32;
const SAMPLES = 7;
const SIGMA = 20;
const LEVELS = 8;
const SHARPNESS = 20;

const MIDDLE = (CELLS - 1) / 2;
const SHAPES = {
  "A ring": (x, y) => Math.abs(Math.hypot(x - MIDDLE, y - MIDDLE) - 9) < 0.6,
  "Dots": (x, y) => x % 8 === 4 && y % 8 === 4,
  "A single cell": (x, y) => x === 12 && y === 12,
  "Nothing": () => false,
};

start(JSON.parse(document.getElementById("held").textContent).image);

async function start(address) {
  const cells = lattice(CELLS, SAMPLES);
  const image = await middle(address, cells.side);
  const pyramid = blurPyramid(image, { sigma: [SIGMA, SIGMA], levels: LEVELS, frame: [0, 0, cells.side, cells.side] });
  const state = { parameters: shaped(Object.values(SHAPES)[0]), brush: "1", sharpness: SHARPNESS };
  const pictures = {
    parameters: make(CELLS, CELLS),
    mask: make(cells.side, cells.side),
    seen: make(cells.side, cells.side),
  };
  const says = el("output.dim");

  function draw() {
    const mask = Uint8ClampedArray.from(cells.mask(state.parameters, state.sharpness), (value) => 255 * value);
    const seen = new ImageData(cells.side, cells.side);
    compose(pyramid, mask, 1, seen);
    paper(pictures.seen).putImageData(seen, 0, 0);
    paper(pictures.mask).putImageData(grey(mask), 0, 0);
    paper(pictures.parameters).putImageData(grey(state.parameters.map((one) => 255 * one)), 0, 0);
    says.textContent = summary(mask);
  }

  function change(changes) {
    Object.assign(state, changes);
    draw();
  }

  function paint({ currentTarget, clientX, clientY }) {
    const { left, top, width, height } = currentTarget.getBoundingClientRect();
    const x = Math.floor((CELLS * (clientX - left)) / width);
    const y = Math.floor((CELLS * (clientY - top)) / height);
    if (Math.min(x, y) < 0 || Math.max(x, y) >= CELLS) return;
    change({ parameters: state.parameters.with(y * CELLS + x, Number(state.brush)) });
  }

  for (const canvas of Object.values(pictures)) {
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      paint(event);
    });
    canvas.addEventListener("pointermove", (event) => event.buttons && paint(event));
  }
  const shapes = Object.entries(SHAPES).map(([name, shape]) =>
    el("button", { type: "button", onclick: () => change({ parameters: shaped(shape) }) }, name)
  );
  show(
    document.querySelector("main"),
    el("h1.sr", {}, "A mask to paint"),
    el(
      "div.painting",
      {},
      figure(pictures.parameters, `The parameters, ${CELLS} × ${CELLS}: paint here`),
      figure(pictures.mask, "The mask: their smooth max-convolution"),
      figure(pictures.seen, "What the network sees: the blur that the mask picks"),
    ),
    el("div.row", {}, brushes(state), shapes, sharpness(change)),
    says,
  );
  draw();
}

function brushes(state) {
  const { node, mark } = segments("Brush", { 1: "Keep", 0: "Remove" }, (value) => {
    state.brush = value;
    mark(value);
  });
  mark(state.brush);
  return node;
}

function sharpness(change) {
  const says = el("output", {}, String(SHARPNESS));
  const input = el("input", { type: "range", min: 1, max: 60, value: SHARPNESS });
  input.addEventListener("input", () => {
    says.textContent = input.value;
    change({ sharpness: Number(input.value) });
  });
  return el("label.row", {}, "Sharpness 1/T", input, says);
}

function summary(mask) {
  const area = mask.reduce((sum, value) => sum + value, 0) / (255 * mask.length);
  const largest = mask.reduce((most, value) => Math.max(most, value), 0) / 255;
  return `The mask's area is ${(100 * area).toFixed(1)}% of the image; its largest value is ${largest.toFixed(2)}.`;
}

const shaped = (shape) =>
  Float64Array.from({ length: CELLS * CELLS }, (_, cell) => Number(shape(cell % CELLS, Math.floor(cell / CELLS))));

const paper = (canvas) => canvas.getContext("2d");

/** Return values in [0, 255], of a square, as a grey picture. */
function grey(values) {
  const side = Math.sqrt(values.length);
  const picture = new ImageData(side, side);
  values.forEach((value, k) => picture.data.set([value, value, value, 255], 4 * k));
  return picture;
}

/** Return the middle square of a photograph, `side` pixels wide. */
async function middle(address, side) {
  const picture = await bitmap(address);
  const edge = Math.min(picture.width, picture.height);
  const cut = await createImageBitmap(picture, (picture.width - edge) / 2, (picture.height - edge) / 2, edge, edge);
  return paper(drawn(cut, side, side)).getImageData(0, 0, side, side);
}

const figure = (canvas, caption) => el("figure", {}, canvas, el("figcaption.dim", {}, caption));
