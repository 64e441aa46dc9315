// Deleting, with ten seconds to think again: what is deleted is out of sight at once, and gone when they are over.

import { remove } from "./api.js";
import { el, show } from "./dom.js";

const UNDO_MS = 10000;

const pending = new Map();
const region = document.body.appendChild(el("div.toasts", { role: "status" }));

/** Return whether a job or batch (its address) is about to be deleted. */
export const isGoing = (path) => pending.has(path);

/** Delete what is at `path` in ten seconds, unless that is undone; `changed()` is told of every step, `undone()` where it stays after all. */
export function removeLater(path, name, { changed, undone = () => {} }) {
  if (pending.has(path)) return;
  const undo = el("button", { type: "button", onclick: () => (forget(path).remove(), changed(), undone()) }, "Undo");
  const node = el("div.toast", {}, el("span", {}, `${name}: deleted.`), undo);
  const timer = setTimeout(() => finish(path, name, changed), UNDO_MS);
  pending.set(path, { node, timer });
  region.append(node);
  changed();
  undo.focus({ preventScroll: true }); // what had the focus is out of sight
}

/** Let go of what is pending; return what says so. */
function forget(path) {
  const { node, timer } = pending.get(path);
  clearTimeout(timer);
  pending.delete(path);
  return node;
}

async function finish(path, name, changed) {
  const problem = await remove(path).then(() => null, (error) => error);
  if (!pending.has(path)) return; // undone meanwhile
  const node = forget(path);
  if (problem && problem.status !== 404) {
    show(node, `${name} stays: ${problem.message}`);
    setTimeout(() => node.remove(), UNDO_MS);
  } else {
    node.remove();
  }
  changed();
}

// Closing the page is no way back: what is pending goes now.
addEventListener("pagehide", () => {
  for (const path of pending.keys()) remove(path, { keepalive: true }).catch(() => {});
});
