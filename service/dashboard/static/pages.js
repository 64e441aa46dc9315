// How a finished job is shown: a page for each task that has one of its own, else its picture.

import { comparePage } from "./compare.js";
import { el } from "./dom.js";
import { channelsPage, classPage, figure } from "./inside.js";
import { lookPage } from "./look.js";
import { taskOf } from "./task.js";

const PAGES = { extremal: lookPage, compare: comparePage, channels: channelsPage, class_channels: classPage };

/** Return the page of a finished job; `signal` ends what moves on it. */
export const pageOf = (job, result, signal) => (PAGES[job.params.task] || picturePage)(job, result, signal);

function picturePage(job) {
  const { title, picture, files } = taskOf(job);
  const shown = files.find(({ key }) => key === picture);
  return el("div.stack", {}, el("h1.answer", {}, title), shown && figure(job.links[picture], shown.title));
}
