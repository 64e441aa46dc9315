// The images to ask about: chosen, dropped, pasted, or one of the samples.

import { request, root } from "./api.js";
import { el, show, svg, uniqueId } from "./dom.js";
import { drawing } from "./drawing.js";

const SAMPLES = {
  black_bear: "A black bear",
  goose: "A goose",
  pizza: "A pizza",
  school_bus: "A school bus",
  airliner: "An airliner",
};

/**
 * Return the control: `{node, files(), take(files), several(on), fault(file, words), faulty(), mark(box), drawable(on)}`.
 *
 * `onChange(count)` is told how many were taken with every choice, `onDrawn(box)` of boxes that are drawn on a single
 * image, `onUnshown(file)` of what the browser can't show: the service may know better.
 */
export function pictures({ onChange, onDrawn, onUnshown }) {
  let all = [];
  let isSeveral = false;
  let canvas = null; // of a single image
  let isDrawable = false;
  const sampleOf = new WeakMap(); // the sample's name, of files that are one
  const faults = new Map(); // what is wrong with a file
  const addresses = new Map(); // of files, while they are here
  const input = el("input.sr", {
    type: "file",
    accept: "image/*",
    multiple: true,
    id: uniqueId("file"),
    onchange: () => take([...input.files]),
  });
  const shown = el("div.shots");
  const label = el("label.button", { htmlFor: input.id });
  const hint = el("small", {}, "or drop or paste one, anywhere");
  const said = el("div.faults", { role: "alert" });
  const drop = el("div.drop", {}, shown, el("div.row", {}, label, input, hint), said);
  const samples = el("div.samples", { role: "group", "aria-label": "Samples" }, Object.keys(SAMPLES).map(sampleButton));
  const offer = el("small", {}, "No image at hand? Take one of these:");

  /** Return the files that are asked about: where one is, the first. */
  const files = () => (isSeveral ? all : all.slice(0, 1));

  function sampleButton(name) {
    const picture = el("img", {
      src: `${root}/static/samples/${name}.small.jpg`,
      alt: SAMPLES[name],
      width: 112,
      height: 112,
    });
    return el("button", {
      type: "button",
      title: SAMPLES[name],
      value: name,
      "aria-pressed": "false",
      onclick: () => sample(name),
    }, picture);
  }

  /** Take a sample; among several images, let go of it where it is one of them. */
  async function sample(name) {
    const chosen = all.find((file) => sampleOf.get(file) === name);
    if (chosen && isSeveral) return without(chosen);
    const response = await request(`static/samples/${name}.jpg`);
    const file = new File([await response.blob()], `${name}.jpg`, { type: "image/jpeg" });
    sampleOf.set(file, name);
    take([file]);
  }

  /** Take files: beside those that are there where several are asked about, else in their place. */
  function take(chosen) {
    input.value = ""; // so that the same file can be chosen again
    if (!chosen.length) return;
    all = isSeveral ? [...all, ...chosen] : chosen;
    changed(chosen.length);
  }

  /** Take files in place of all that are there. */
  function replace(chosen) {
    all = [];
    take(chosen);
  }

  function without(file) {
    all = all.filter((one) => one !== file);
    changed(0);
  }

  function changed(count) {
    for (const [file, address] of addresses) {
      if (all.includes(file)) continue;
      URL.revokeObjectURL(address);
      addresses.delete(file);
    }
    draw();
    onChange(count);
  }

  function several(on) {
    if (on === isSeveral) return;
    isSeveral = on;
    draw();
  }

  function draw() {
    canvas = null;
    const found = files();
    show(shown, found.length ? found.map(isSeveral ? small : large) : symbol());
    offer.hidden = found.length > 0;
    for (const one of samples.children) {
      one.setAttribute("aria-pressed", String(found.some((file) => sampleOf.get(file) === one.value)));
    }
    drop.classList.toggle("several", isSeveral);
    const one = isSeveral ? "some" : "one";
    label.textContent = `${found.length ? (isSeveral ? "Add" : "Change") : "Choose"} ${
      isSeveral ? "images" : found.length ? "image" : "an image"
    }`;
    hint.textContent = `or drop or paste ${one}${found.length ? "" : ", anywhere"}`;
    tell();
  }

  function image(file, alt) {
    if (!addresses.has(file)) addresses.set(file, URL.createObjectURL(file));
    const node = el("img", { src: addresses.get(file), alt, title: file.name });
    node.addEventListener("error", () => {
      node.replaceWith(el("span.unshown", { title: file.name }, symbol(), file.name));
      onUnshown(file);
    });
    return node;
  }

  function large(file) {
    canvas = drawing(image(file, "The chosen image"), onDrawn);
    canvas.allow(isDrawable);
    return canvas.node;
  }

  function drawable(on) {
    isDrawable = on;
    canvas?.allow(on);
  }

  function small(file, k) {
    return el(
      "span.shot",
      {},
      image(file, file.name),
      el("button", {
        type: "button",
        "aria-label": `Leave out image ${k + 1}: ${file.name}`,
        onclick: () => without(file),
      }, "×"),
    );
  }

  /** Say what is wrong with a file, beside it. */
  function fault(file, words) {
    faults.set(file, words);
    tell();
  }

  const faulty = () => files().filter((file) => faults.has(file));

  function tell() {
    const found = faulty();
    drop.classList.toggle("faulty", found.length > 0);
    [...shown.children].forEach((node, k) => node.classList.toggle("faulty", faults.has(files()[k])));
    const words = found.map((file) => el("p.error", {}, el("b", {}, file.name), `: ${faults.get(file)}`));
    if (said.textContent !== words.map((one) => one.textContent).join("")) show(said, words);
  }

  draw();
  return {
    node: el("div.stack.images", {}, drop, offer, samples),
    files,
    take,
    replace,
    several,
    fault,
    faulty,
    mark: (box) => canvas?.mark(box),
    drawable,
  };
}

/** Return the symbol of a picture. */
const symbol = () =>
  svg(
    "svg",
    { viewBox: "0 0 48 36", class: "symbol", "aria-hidden": "true" },
    svg("rect", { x: 1.5, y: 1.5, width: 45, height: 33, rx: 4 }),
    svg("circle", { cx: 14, cy: 12, r: 3.5 }),
    svg("path", { d: "M4 31 17 19l8 7 9-11 11 13" }),
  );
