// Files that are dropped or pasted, anywhere on the page.

import { el } from "./dom.js";

/** Let `take(files)` have what is dropped or pasted; over the page it says so while files are dragged. */
export function dropAnywhere(take) {
  const veil = el("div.veil", { hidden: true, "aria-hidden": "true" }, el("p", {}, "Drop the image anywhere"));
  let isOwn = false; // a picture of the page itself, dragged about
  document.body.append(veil);

  const hasFiles = (event) => !isOwn && event.dataTransfer?.types.includes("Files");

  function over(event) {
    if (!hasFiles(event)) return;
    event.preventDefault();
    veil.hidden = false;
  }

  function leave(event) {
    if (!event.relatedTarget) veil.hidden = true; // it has left the window
  }

  function drop(event) {
    veil.hidden = true;
    if (!hasFiles(event)) return;
    const isTaken = event.defaultPrevented; // by a field that has a use for it
    event.preventDefault();
    if (!isTaken) take([...event.dataTransfer.files]);
  }

  function paste(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    const isText = event.target.matches?.("input, textarea") && event.clipboardData?.types.includes("text/plain");
    if (!files.length || isText) return;
    event.preventDefault();
    take(files);
  }

  document.addEventListener("dragstart", () => (isOwn = true));
  document.addEventListener("dragend", () => (isOwn = false));
  document.addEventListener("dragover", over);
  document.addEventListener("dragleave", leave);
  document.addEventListener("drop", drop);
  document.addEventListener("paste", paste);
}
