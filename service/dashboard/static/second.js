// A target's own picture: a second one to be similar to, or the region of a segment.

import { picture, sized } from "./api.js";
import { el, show, uniqueId } from "./dom.js";

const SHOWN = 320;

/** Return the field of a picture: `{node, offer(isOffered), file(), take(file)}`; `onChange()` is told of every choice. */
export function secondPicture({ title, button, hint, alt }, onChange) {
  let file = null;
  const image = el("img", { alt, hidden: true });
  const input = el("input.sr", { type: "file", accept: "image/*", id: uniqueId("second") });
  const label = el("label.button", { htmlFor: input.id }, button);
  const without = el("button.quiet", { type: "button", hidden: true, onclick: () => take(null) }, "Leave it out");
  const inside = [el("span", {}, title), el("div.row", {}, image, label, input, without), el("small", {}, hint)];
  const node = el("div.field.second", { role: "group", "aria-label": title, hidden: true, ondrop: dropped });
  input.addEventListener("change", () => input.files.length && take(input.files[0]));

  function take(chosen) {
    input.value = ""; // so that the same file can be chosen again
    file = chosen;
    URL.revokeObjectURL(image.src);
    if (file) image.src = URL.createObjectURL(file);
    image.hidden = without.hidden = !file;
    label.textContent = file ? "Choose another" : button;
    onChange();
  }

  /** Take a file that is dropped here for this field, not for the page. */
  function dropped(event) {
    event.preventDefault();
    if (event.dataTransfer.files.length) take(event.dataTransfer.files[0]);
  }

  /** Show the field where a model has a use for such a picture; else let go of what was chosen. */
  function offer(isOffered) {
    node.hidden = !isOffered;
    show(node, isOffered ? inside : []);
    if (!isOffered && file) take(null);
  }

  return { node, offer, file: () => file, take };
}

/** Return what a finished job shows of its target's own picture, where it is kept. */
export function keptPicture({ links }) {
  const link = links.target_image || links.target_mask;
  if (!link) return null;
  const words = links.target_image ? "The second picture" : "The region that was asked for, in white";
  const image = el("img", { alt: words });
  picture(sized(link, SHOWN)).then((address) => (image.src = address)).catch(() => {});
  return el("figure.second", {}, image, el("figcaption", {}, words));
}
