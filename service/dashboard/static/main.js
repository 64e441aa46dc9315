// The page: its parts, and what the address has the stage show.

import { Away, root } from "./api.js";
import { ask } from "./ask.js";
import { batchPage } from "./batch.js";
import { show } from "./dom.js";
import { jobPage } from "./job.js";
import { keyDialog } from "./key.js";
import { jobList } from "./list.js";
import { place } from "./place.js";
import { statusLine } from "./status.js";
import { welcome } from "./welcome.js";

const PAGES = { job: jobPage, batch: batchPage };

// Behind a proxy the page may be shown at an address without a slash at its end, where links would leave it.
if (location.pathname === root) history.replaceState(null, "", `${root}/${location.search}${location.hash}`);

const stage = document.getElementById("stage");
const banner = document.getElementById("banner");
let leave = () => {};

const form = ask(document.getElementById("ask"), (address) => {
  list.refresh();
  location.hash = address;
});
const list = jobList(document.getElementById("jobs"), form.fill);
statusLine(document.getElementById("status"), (isAway) => {
  if (!isAway && !banner.hidden) list.refresh();
  banner.hidden = !isAway;
  banner.textContent = isAway ? new Away().message : "";
});
keyDialog(document.getElementById("key-button"), () => {
  form.load();
  list.refresh();
  route();
});

function route() {
  leave();
  const { kind, id } = place();
  list.mark(id);
  document.body.dataset.shows = kind || "nothing";
  if (kind) {
    leave = PAGES[kind](stage, id, { again: form.fill, changed: list.refresh });
    return;
  }
  document.title = "Extremal perturbations";
  form.open(place().view);
  const played = new AbortController();
  show(stage, welcome(played.signal));
  leave = () => played.abort();
}

addEventListener("hashchange", () => {
  route();
  if (!document.activeElement.closest(".toasts")) {
    stage.focus({ preventScroll: matchMedia("(min-width: 62rem)").matches });
  }
});
route();
