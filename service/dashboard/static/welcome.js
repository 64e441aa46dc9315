// What the stage shows before there is a job.

import { root } from "./api.js";
import { el } from "./dom.js";

const STRIP = { 5: "5% of the image", 10: "10%: enough", 20: "20%", 40: "40%" };

/** Return what will be seen here: the image revealed in the order in which it matters (figure 1). */
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
    el("div.strip", {}, Object.entries(STRIP).map(still)),
    el(
      "p.dim",
      {},
      "Masks sharpen while you watch. Then reveal the image in the order in which it matters, look at the scores, compare other methods, or look ",
      "inside the network at its channels.",
    ),
  );
}

function still([share, words]) {
  const image = el("img", {
    src: `${root}/static/welcome/black_bear_${share}.jpg`,
    alt: `A black bear: ${share}% of the image kept, the rest blurred`,
    width: 240,
    height: 160,
  });
  return el("figure", {}, image, el("figcaption", {}, share === "10" ? el("b", {}, words) : words));
}
