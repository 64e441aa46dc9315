// Which class to explain: the top classes of the image at once, or any label by typing.

import { post } from "./api.js";
import { el, field, show, uniqueId } from "./dom.js";
import { boxIn, isNameless, withBox } from "./region.js";
import { secondPicture } from "./second.js";
import { asked, partOf, withPictures, written } from "./target.js";
import { chance } from "./words.js";

const search = (count) => `Type to search all ${count} classes`;
const TEXTS = "A class of the model’s, or any text: “a bus in snow against a truck; a car”";
const BOXES = "A class of the model’s, or one object: “dog at 40, 60, 320, 400”, or draw a box on the image";
const SEGMENTS = "A class of the model’s, or a part of the image: “dog within its pixels”, or draw a box on the image";
const WAIT_MS = 600; // what is answered sooner needs no words
const NAMELESS = "Name the class first: a region is of a class, such as “dog”, that the model segments.";

const PICTURES = {
  target_image: {
    title: "Similar to",
    button: "Choose a second picture",
    hint: "In place of a class: what the two have in common, as the model sees it",
    alt: "The second picture",
  },
  target_mask: {
    title: "Within a region",
    button: "Choose a mask",
    hint: "A picture as large as the image, white where the region is",
    alt: "The mask",
  },
};

/**
 * Return the control: `{node, of(file, model), offer(card), value(), pictures(), set(target, pictures), takesBoxes(),
 * draw(box), lacks()}`.
 *
 * `onBox(box)` is told which box of the image the target names, or null; `onChange()` of the target's own pictures.
 */
export function targets({ onBox, onChange }) {
  const list = el("datalist", { id: uniqueId("labels") });
  const input = el("input", {
    type: "text",
    placeholder: "Top class, or “this instead of that”",
    autocomplete: "off",
  });
  input.setAttribute("list", list.id);
  const chips = el("div.chips.ranked", { role: "group", "aria-label": "The top classes of this image" });
  const hint = el("span", {}, search(""));
  const named = el("div.stack", {}, field("Class", input, hint), chips, list);
  const second = secondPicture(PICTURES.target_image, () => {
    hideClasses();
    onChange();
  });
  const mask = secondPicture(PICTURES.target_mask, nameTop);
  const node = el("div.stack", {}, named, second.node, mask.node);
  let names = []; // by index; those that several classes share have the index in them
  let kinds = [];
  let hasClasses = true;
  let turn = 0;

  input.addEventListener("input", mark);

  function mark() {
    for (const chip of chips.children) chip.setAttribute("aria-pressed", String(chip.value === input.value));
    onBox(boxIn(input.value));
  }

  /** Show no classes where there are none, or where a second picture is the target. */
  function hideClasses() {
    named.hidden = Boolean(second.file()) || !hasClasses;
  }

  const nameOf = (index, label) => names[index] || label || String(index);

  function chip({ index, label, probability }) {
    const name = nameOf(index, label);
    const pick = () => {
      input.value = input.value === name ? "" : name;
      mark();
    };
    return el(
      "button",
      { type: "button", value: name, title: name, "aria-pressed": "false", onclick: pick },
      probability === null ? name : `${name} ${chance(probability)}`,
    );
  }

  /**
   * Offer the classes that a model sees in an image (null: none is chosen); return why there are none, as an error.
   *
   * Where a model has no classes, another one is asked whether the image can be read.
   */
  async function of(file, model) {
    const mine = (turn += 1);
    show(chips);
    chips.hidden = false;
    if (!file) return null;
    const wait = () => mine === turn && show(chips, el("span.dim", {}, "Asking the model what it sees …"));
    const waiting = setTimeout(wait, WAIT_MS);
    try {
      const found = await post("v1/classify", { image: file, model: (hasClasses && model) || null });
      if (mine !== turn) return null; // another image by now
      show(chips, hasClasses && found.classes.map(chip));
      nameTop();
      mark();
      return null;
    } catch (problem) {
      if (mine === turn) chips.hidden = true; // nobody to ask, or nothing to see: the top class it is
      return problem;
    } finally {
      clearTimeout(waiting);
    }
  }

  /** Return what has to be chosen first, in words; null for nothing. */
  const lacks = () => (hasClasses || second.file() ? null : "Choose a second picture first");

  const lacksClass = () => isNameless(input.value) || (mask.file() !== null && !input.value.trim());

  /** Name the top class where a region was given without one; nothing while no classes are known. */
  function nameTop() {
    if (!lacksClass() || !chips.children.length) return;
    input.value = `${chips.firstElementChild.value} ${input.value}`.trim();
    mark();
  }

  const pictures = () => ({ target_image: second.file(), target_mask: mask.file() });

  /** Return the target as the API takes it; throws where a region has no class. */
  function value() {
    if (lacksClass() && !second.file()) throw new Error(NAMELESS);
    return withPictures(asked(input.value, names, kinds.includes("text")), pictures());
  }

  /** Offer a model's classes, by their `labels`, and what else its `targets` are. */
  function offer({ labels: found, targets: taken = [] }) {
    const seen = new Map();
    for (const label of found) seen.set(label, (seen.get(label) || 0) + 1);
    names = found.map((label, index) => (seen.get(label) > 1 ? `${label} (${index})` : label));
    show(list, names.map((name) => el("option", { value: name })));
    kinds = taken;
    hint.textContent = [["text", TEXTS], ["box", BOXES], ["segment", SEGMENTS]]
      .find(([kind]) => kinds.includes(kind))?.[1] ?? search(found.length || "");
    hasClasses = kinds.some((kind) => kind !== "similar") || !kinds.length;
    second.offer(kinds.includes("similar"));
    mask.offer(kinds.includes("segment"));
    hideClasses();
  }

  const takesBoxes = () => kinds.includes("box") || kinds.includes("segment");

  /** Put a box that was drawn into the target. */
  function draw(box) {
    input.value = withBox(input.value, kinds.includes("segment") ? "within" : "at", box);
    nameTop();
    mark();
  }

  /** Take over a target, and its own pictures by part. */
  function set(target, found = {}) {
    input.value = partOf(target) === "target_image" ? "" : written(target, nameOf) ?? "";
    second.take(found.target_image || null);
    mask.take(found.target_mask || null);
    mark();
  }

  return { node, of, value, pictures, offer, set, takesBoxes, draw, lacks };
}
