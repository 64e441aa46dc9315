// What the stage shows before there is a job.

import { el } from "./dom.js";

/** Return a short explanation of what will be seen here. */
export function welcome() {
  return el(
    "div.stack",
    {},
    el("h1", {}, "See what the network needs to see"),
    el(
      "p",
      {},
      "Choose a photograph and press Explain. For each share of the image, the service finds the mask that keeps the score of its class ",
      "highest, and shows how little of the image suffices.",
    ),
    el(
      "p.dim",
      {},
      "Masks sharpen while you watch. Then reveal the image in the order in which it matters, look at the scores, compare other methods, or look ",
      "inside the network at its channels.",
    ),
  );
}
