// Which class to explain: the top classes of the image at once, or any label by typing.

import { post } from "./api.js";
import { el, field, show, uniqueId } from "./dom.js";
import { chance, contrast, contrasted } from "./words.js";

/** Return the control: `{node, of(file), labels(list), value(), set(target)}`. */
export function targets(modelName) {
  const list = el("datalist", { id: uniqueId("labels") });
  const input = el("input", { type: "text", placeholder: "The top class", autocomplete: "off" });
  input.setAttribute("list", list.id);
  const chips = el("div.chips.ranked", { role: "group", "aria-label": "The top classes of this image" });
  const node = el("div.stack", {}, field("Class", input, "Type to search all of the model’s; “this instead of that” asks for the difference"), chips, list);
  let names = []; // by index; those that several classes share have the index in them
  let turn = 0;

  input.addEventListener("input", mark);

  function mark() {
    for (const chip of chips.children) chip.setAttribute("aria-pressed", String(chip.value === input.value));
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

  async function of(file) {
    const mine = (turn += 1);
    show(chips);
    const found = await post("v1/classify", { image: file, model: modelName() || null }).catch(() => null);
    if (mine !== turn || !found) return; // another image by now, or nobody to ask: the top class it is
    show(chips, found.classes.map(chip));
    mark();
  }

  /** Return the target as the API takes it: a class, one instead of another, or null for the top class. */
  function value() {
    const text = input.value.trim();
    const two = names.includes(text) ? null : contrasted(text);
    if (two) return { class: classOf(two[0]), instead_of: classOf(two[1]) };
    return text ? classOf(text) : null;
  }

  function classOf(name) {
    const text = name.trim();
    const index = names.indexOf(text);
    if (/^\d+$/.test(text)) return Number(text);
    return index >= 0 && text.endsWith(`(${index})`) ? index : text;
  }

  function labels(found) {
    const seen = new Map();
    for (const label of found) seen.set(label, (seen.get(label) || 0) + 1);
    names = found.map((label, index) => (seen.get(label) > 1 ? `${label} (${index})` : label));
    show(list, names.map((name) => el("option", { value: name })));
  }

  function named(target) {
    if (typeof target === "number") return nameOf(target);
    return target?.class === undefined ? (target ?? "") : contrast(target, nameOf);
  }

  function set(target) {
    input.value = named(target);
    mark();
  }

  return { node, of, value, labels, set };
}
