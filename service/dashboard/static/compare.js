// The page of a finished comparison.

import { picture, sized } from "./api.js";
import { comparisonView } from "./comparison.js";
import { el } from "./dom.js";
import { place, remember } from "./place.js";
import { LONGEST } from "./tiles.js";

/** Return the page of a finished job of the task `compare`. */
export function comparePage({ links }, result, signal) {
  const { answer, look } = comparisonView(result, {
    files: { image: links.images ? sized(links.images[0], LONGEST) : null, open: picture },
    asked: place().view,
    onChange: remember,
    signal,
  });
  return el("div.stack", {}, el("h1.answer", {}, answer), look);
}
