// A page that holds one result and needs no server: what is in it is told by its own data.

import { el } from "./dom.js";
import { sweepView } from "./sweep.js";

const { result, image } = JSON.parse(document.getElementById("result").textContent);
const shown = sweepView(result, {
  files: { image, open: (address) => Promise.resolve(address) },
  asked: {},
  onShow: () => {},
  onChange: () => {},
  signal: new AbortController().signal,
});
document.querySelector("main").replaceChildren(
  el("div.stack.result", {}, el("h1.answer", {}, shown.answer), shown.steady, shown.look),
);
