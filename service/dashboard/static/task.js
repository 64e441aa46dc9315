// The tasks, as `GET /v1/tasks` lists them: what is asked, what a result is called, which files it has.

import listed from "./tasks.js"; // made by the service, so that the page has it at once, also before it has a key

/** The tasks by name. */
export const TASKS = Object.fromEntries(listed.tasks.map((one) => [one.name, one]));

/** Return the task of a job. */
export const taskOf = (job) => TASKS[job.params.task];

/** Return whether a job of a task has all images that are asked about together. */
export const takesSeveral = ({ most_images: most }) => most > 1;

/** Return one thing of all tasks, `{name: value}`. */
export const ofAll = (what) => Object.fromEntries(listed.tasks.map((one) => [one.name, one[what]]));
