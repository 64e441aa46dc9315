// The files of a result, for what shows it.

import { picture, sized } from "./api.js";
import { LONGEST } from "./reveal.js";

/** Return the files of a job as `masked` takes them; a job that was posted without `keep_images` has no image. */
export const filesOf = (job) => ({
  image: job.links.images ? sized(job.links.images[0], LONGEST) : null,
  open: picture,
});
