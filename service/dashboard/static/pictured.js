// The picture that says most of a job, small: for lists of jobs.

import { sized } from "./api.js";
import { taskOf } from "./task.js";

/** Return the overlay of what was found, at an area of a sweep (null: a*); undefined where there is none. */
export function foundPicture({ links, found, ...job }, area = null) {
  const wanted = area ?? found?.optimal_area;
  const [, overlay] = Object.entries(links.overlays).find(([one]) => Number(one) === wanted) || [];
  return overlay || links[taskOf(job).picture];
}

/** Return the posted image at a size, or what was found where the image isn't kept; undefined where there is neither. */
export const seen = (job, pixels) => (job.links.images ? sized(job.links.images[0], pixels) : foundPicture(job));
