// What pages that need no server have in common: they hold their data, and show it once.

import { howToCite } from "./cite.js";
import { el } from "./dom.js";

/** Return what the page holds. */
export const held = () => JSON.parse(document.getElementById("held").textContent);

/** Return what views ask of the place that they are shown at, where all files are in the page; `image` is the photograph. */
export const inPage = (image) => ({
  files: { image, open: (address) => Promise.resolve(address) },
  asked: {},
  onShow: () => {},
  onChange: () => {},
  signal: new AbortController().signal,
});

/** Show the page: its heading, what is below that, and how to cite `made` (a result). */
export function showPage(heading, made, ...below) {
  const title = el("h1.answer", {}, heading);
  const nodes = below.filter((node) => node !== null);
  document.querySelector("main").replaceChildren(el("div.stack.result", {}, title, ...nodes, made && howToCite(made)));
}
