// How the image is fitted to the network's frame, said beside it, and the other ways in one click.

import { el } from "./dom.js";
import { rerun } from "./rerun.js";
import { isCut, isPadded } from "./seen.js";
import { done } from "./words.js";

const OTHERS = {
  whole: "Show it the whole image",
  stretch: "Stretch the image to fit",
  crop: "Use the network’s own crop",
};
const TITLES = {
  whole: "Runs the job again with the image padded with the network’s mean colour",
  stretch: "Runs the job again with the image’s proportions changed",
  crop: "Runs the job again with the central crop that the network was made for",
};

/** Return what is said of the fit, and buttons that run the job again with another one; null where nothing is lost by it. */
export function fits(job, result) {
  const { fit = "crop" } = result.params;
  if (fit === "crop" && !isCut(result)) return null;
  const error = el("span.error", { role: "alert" });

  const refit = (other) => rerun(job, { fit: other }).catch((problem) => (error.textContent = problem.message));
  const button = (other) =>
    el("button.quiet", { type: "button", title: TITLES[other], onclick: () => refit(other) }, OTHERS[other]);
  const others = job.links.images ? Object.keys(OTHERS).filter((other) => other !== fit) : [];
  return el("p.fits", {}, el("span.dim", {}, words(result, fit)), others.map(button), error);
}

function words(result, fit) {
  if (isCut(result)) return `The network sees ${done(result.coverage.image)} of the image; it never saw the rest.`;
  if (isPadded(result)) {
    return `The network sees the whole image, which fills ${
      done(result.coverage.frame)
    } of its frame; the rest is padding.`;
  }
  return fit === "stretch" ? "The network sees the whole image, stretched." : "The network sees the whole image.";
}
