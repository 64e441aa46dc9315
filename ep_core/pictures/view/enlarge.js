// A picture, as large as the window lets it be.

import { el, show } from "./dom.js";

const dialog = el("dialog.enlarged", { onclick: () => dialog.close() });

/** Show a picture's address under words; Escape, the button or a click closes it. */
export function enlarge(address, words) {
  if (!dialog.isConnected) document.body.append(dialog);
  dialog.setAttribute("aria-label", words);
  const close = el("button.quiet", { type: "button", onclick: () => dialog.close() }, "Close");
  show(dialog, el("img", { src: address, alt: words }), el("div.row.spread", {}, el("span", {}, words), close));
  dialog.showModal();
}
