// The images to ask about: chosen, dropped, pasted, or one of the samples.

import { request, root } from "./api.js";
import { el, show, uniqueId } from "./dom.js";
import { drawing } from "./drawing.js";

const SAMPLES = {
  black_bear: "A black bear",
  goose: "A goose",
  pizza: "A pizza",
  school_bus: "A school bus",
  airliner: "An airliner",
};
const FIRST = "black_bear";

/**
 * Return the control: `{node, files(), take(files), first(), mark(box), drawable(on)}`.
 *
 * `onChange(files)` is told of every choice, `onDrawn(box)` of boxes that are drawn on a single image.
 */
export function pictures(onChange, onDrawn) {
  let files = [];
  let canvas = null; // of a single image
  let isDrawable = false;
  const input = el("input.sr", {
    type: "file",
    accept: "image/*",
    multiple: true,
    id: uniqueId("file"),
    onchange: () => take([...input.files]),
  });
  const shown = el("div.shots");
  const label = el("label.button", { htmlFor: input.id });
  const drop = el(
    "div.drop",
    { ondragover: over, ondragleave: leave, ondrop: dropped },
    shown,
    label,
    input,
    el("small", {}, "or drop or paste one"),
  );
  const samples = el("div.samples", { role: "group", "aria-label": "Samples" }, Object.keys(SAMPLES).map(sampleButton));

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

  async function sample(name) {
    const response = await request(`static/samples/${name}.jpg`);
    take([new File([await response.blob()], `${name}.jpg`, { type: "image/jpeg" })], name);
  }

  function take(chosen, name = null) {
    input.value = ""; // so that the same file can be chosen again
    if (!chosen.length) return;
    files = chosen;
    for (const one of samples.children) one.setAttribute("aria-pressed", String(one.value === name));
    draw();
    onChange(files);
  }

  function draw() {
    for (const image of shown.querySelectorAll("img")) URL.revokeObjectURL(image.src);
    canvas = null;
    show(shown, files.map(files.length > 1 ? small : large));
    label.textContent = files.length ? "Change image" : "Choose an image";
  }

  function large(file) {
    canvas = drawing(el("img", { src: URL.createObjectURL(file), alt: "The chosen image" }), onDrawn);
    canvas.allow(isDrawable);
    return canvas.node;
  }

  function drawable(on) {
    isDrawable = on;
    canvas?.allow(on);
  }

  function small(file, k) {
    const image = el("img", { src: URL.createObjectURL(file), alt: file.name, title: file.name });
    const without = () => take(files.filter((one) => one !== file));
    return el(
      "span.shot",
      {},
      image,
      el("button", { type: "button", "aria-label": `Leave out image ${k + 1}: ${file.name}`, onclick: without }, "×"),
    );
  }

  function over(event) {
    event.preventDefault();
    drop.classList.add("over");
  }

  function leave() {
    drop.classList.remove("over");
  }

  function dropped(event) {
    event.preventDefault();
    leave();
    take([...event.dataTransfer.files]);
  }

  document.addEventListener(
    "paste",
    (event) => take([...event.clipboardData.files].filter((file) => file.type.startsWith("image/"))),
  );
  draw();
  return {
    node: el("div.stack", {}, drop, samples),
    files: () => files,
    take,
    mark: (box) => canvas?.mark(box),
    drawable,
    /** Take the first sample where nothing is chosen: a first visitor needs one click. */
    first: async () => {
      if (!files.length) await sample(FIRST);
    },
  };
}
