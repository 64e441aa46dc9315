// Copying a text: to the clipboard, or to be copied by hand where that can't be reached.

import { el, show } from "./dom.js";

/**
 * Return what copies texts, `{button(name, text), said, code}`: buttons, a line that says how it went, and the text itself.
 *
 * A text that is another one each time is given as a function.
 */
export function copier() {
  const said = el("span.dim", { role: "status" });
  const code = el("pre", { hidden: true, tabIndex: 0 });

  async function copy(text) {
    show(code, text);
    code.hidden = false;
    said.textContent = await written(text).then(() => "Copied.", () => "Copy it from here:");
  }

  const button = (name, text) =>
    el("button", { type: "button", onclick: () => copy(typeof text === "function" ? text() : text) }, name);
  return { button, said, code };
}

/** Write to the clipboard; there is none in a page that lies in another one's frame, or comes without encryption. */
const written = async (text) => await navigator.clipboard.writeText(text);
