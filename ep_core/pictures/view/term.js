// What a word means, behind a question mark where the word stands.

import { el, uniqueId } from "./dom.js";

const MEANINGS = {
  "a*":
    "The smallest of the shares that were tried whose part of the image is enough by itself: with only that kept, the " +
    "network’s score reaches the threshold.",
  extremal:
    "No other part of the same size, and as smooth, keeps a higher score: checked against what other methods find and " +
    "against random parts.",
  threshold: "The score that a part has to reach to count as enough. By default it is the score of the whole image.",
  strength:
    "How much of what is left out is dimmed, blurred or blackened in this picture. It changes the picture only, not " +
    "what was found.",
  score:
    "What the network computes for the class before probabilities: higher means more certain. It has no fixed scale, so " +
    "compare it with that of the whole image.",
};

/** Return a button that says what a word means; `isNamed`: the word stands beside it already. */
export function term(name, { isNamed = false } = {}) {
  const note = el(
    "span.meaning",
    { id: uniqueId("meaning"), popover: "auto" },
    el("b", {}, name),
    `: ${MEANINGS[name]}`,
  );
  const label = `What is “${name}”?`;
  const text = isNamed ? "?" : `${name} ?`;
  return el(
    "span",
    {},
    el("button.term", { type: "button", "aria-label": label, popoverTargetElement: note }, text),
    note,
  );
}
