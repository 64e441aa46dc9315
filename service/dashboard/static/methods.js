// The methods of a comparison, by their names, with a sentence on each.

import { get } from "./api.js";
import { el, show, uniqueId } from "./dom.js";
import { once } from "./once.js";

const COMPARED = ["gradient", "guided_backprop", "grad_cam", "rise", "extremal"]; // figure 2

const read = once(async () => (await get("v1/methods")).methods);

/** Return the field: `{node, value(), set(names), load()}`; `onChange()` is told of every change. */
export function methodField(onChange) {
  const count = el("small", { role: "status" });
  const list = el("div.methods-asked");
  const all = (isChosen) =>
    el("button.quiet", { type: "button", onclick: () => check(() => isChosen) }, isChosen ? "All" : "None");
  const node = el(
    "fieldset",
    {},
    el("legend", {}, "Methods"),
    el("div.row.spread", {}, count, el("span", {}, all(true), all(false))),
    list,
  );
  let wanted = COMPARED;

  const boxes = () => [...list.querySelectorAll("input")];
  const value = () => (boxes().length ? boxes().filter((one) => one.checked).map((one) => one.value) : wanted);

  async function load() {
    if (boxes().length) return;
    try {
      const methods = await read();
      show(list, methods.map(row));
      tell();
    } catch (problem) {
      show(list, el("p.error", {}, problem.message));
    }
  }

  function row({ name, title, about }) {
    const words = el("small", { id: uniqueId("about") }, about);
    const box = el("input", {
      type: "checkbox",
      value: name,
      checked: wanted.includes(name),
      id: uniqueId("method"),
      "aria-describedby": words.id,
      onchange: tell,
    });
    return el("div.method", {}, box, el("label", { htmlFor: box.id }, title), words);
  }

  function check(isChosen) {
    for (const one of boxes()) one.checked = isChosen(one.value);
    tell();
  }

  function tell() {
    count.textContent = `${value().length} of ${boxes().length} chosen`;
    onChange();
  }

  /** Choose methods by their names. */
  function set(names) {
    wanted = names;
    check((name) => names.includes(name));
  }

  return { node, value, set, load };
}
