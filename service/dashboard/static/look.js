// The page of a finished sweep: the result to look at, and what the service can do with it.

import { beside } from "./beside.js";
import { el } from "./dom.js";
import { filesOf } from "./files.js";
import { fits } from "./fits.js";
import { place, remember } from "./place.js";
import { saveBlob, saveFrom } from "./save.js";
import { sweepView } from "./sweep.js";
import { maskOf } from "./which.js";

/** Return the page of a finished job of the task `extremal`. */
export function lookPage(job, result, signal) {
  const other = beside(job, result);
  const saves = el("div.row");
  const shown = sweepView(result, {
    files: filesOf(job),
    asked: place().view,
    onShow: other.mark,
    onChange: keep,
    belowImage: fits(job, result),
    belowAll: saves,
    signal,
  });
  saves.append(...savesOf(job, result, shown));
  return el("div.stack.result", {}, el("h1.answer", {}, shown.answer), shown.steady, shown.look, other.node);

  function keep(state) {
    const { area } = result.curve[state.k];
    remember({ area, view: state.mode, side: state.side, mask: state.which });
  }
}

/** Return buttons that save what is seen. */
function savesOf(job, result, { view, state }) {
  const said = el("span.error", { role: "alert" });
  const name = (what) => `${job.id.slice(0, 8)}-${what}-${maskOf(result, state).key}.png`;
  const mask = () => saveFrom(maskOf(result, state).mask, name("mask"), said);
  const seen = async () => saveBlob(await view.blob(), name(state.mode));
  return [
    el("button.quiet", { type: "button", onclick: mask }, "Save this mask"),
    ...(view.hasImage ? [el("button.quiet", { type: "button", onclick: seen }, "Save this picture")] : []),
    said,
  ];
}
