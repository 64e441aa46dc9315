// Which class to explain: the top classes of the image at once, or any label by typing.

import { post } from "./api.js";
import { el, field, percent, show, uniqueId } from "./dom.js";

/** Return the control: `{node, of(file), labels(list), value(), set(target)}`. */
export function targets(modelName) {
  const names = el("datalist", { id: uniqueId("labels") });
  const input = el("input", { type: "text", placeholder: "The top class", autocomplete: "off" });
  input.setAttribute("list", names.id);
  const chips = el("div.chips", { role: "group", "aria-label": "The top classes of this image" });
  const node = el("div.stack", {}, field("Class", input), chips, names);
  let turn = 0;

  input.addEventListener("input", mark);

  function mark() {
    for (const chip of chips.children) chip.setAttribute("aria-pressed", String(chip.value === input.value));
  }

  function chip({ index, label, probability }) {
    const name = label || String(index);
    const pick = () => {
      input.value = input.value === name ? "" : name;
      mark();
    };
    return el("button", { type: "button", value: name, "aria-pressed": "false", onclick: pick }, `${name} ${percent(probability)}`);
  }

  async function of(file) {
    const mine = (turn += 1);
    show(chips);
    const found = await post("v1/classify", { image: file, model: modelName() || null }).catch(() => null);
    if (mine !== turn || !found) return; // another image by now, or nobody to ask: the top class it is
    show(chips, found.classes.map(chip));
    mark();
  }

  function value() {
    const text = input.value.trim();
    if (!text) return null;
    return /^\d+$/.test(text) ? Number(text) : text;
  }

  return {
    node,
    of,
    value,
    labels: (list) => show(names, [...new Set(list)].map((label) => el("option", { value: label }))),
    set: (target) => {
      input.value = target ?? "";
      mark();
    },
  };
}
