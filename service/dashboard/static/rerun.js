// A job once more: its images and parameters are posted anew.

import { post, posted, postedTarget } from "./api.js";

/** Return the parameters of a job that have a value. */
export const asked = (job) => Object.fromEntries(Object.entries(job.params).filter(([, value]) => value !== null));

/** Post a job once more, with some of its parameters changed, and show the new one. */
export async function rerun(job, changes = {}) {
  const images = { image: await posted(job), ...(await postedTarget(job)) };
  const made = await post("v1/jobs", { ...images, params: { ...asked(job), ...changes }, keep_images: "true" });
  location.hash = `#/job/${made.id}`;
}
