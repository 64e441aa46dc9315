// The page: who shows what. The address holds the state: `#/` asks, `#/job/{id}` shows a job.

import { ask } from "./ask.js";
import { Away } from "./api.js";
import { show } from "./dom.js";
import { jobPage } from "./job.js";
import { jobList } from "./list.js";
import { keyDialog } from "./key.js";
import { statusLine } from "./status.js";
import { welcome } from "./welcome.js";

const stage = document.getElementById("stage");
const banner = document.getElementById("banner");
let leave = () => {};

const list = jobList(document.getElementById("jobs"));
const form = ask(document.getElementById("ask"), (job) => {
  list.refresh();
  location.hash = `#/job/${job.id}`;
});
statusLine(document.getElementById("status"), (isAway) => {
  if (!isAway && !banner.hidden) list.refresh();
  banner.hidden = !isAway;
  banner.textContent = isAway ? new Away().message : "";
});
keyDialog(document.getElementById("key-button"), () => {
  form.reload();
  list.refresh();
  route();
});

function route() {
  leave();
  const [, id] = location.hash.match(/^#\/job\/([0-9a-f]{32})$/) || [];
  list.mark(id || null);
  if (id) {
    leave = jobPage(stage, id, { again: form.fill, changed: list.refresh });
    return;
  }
  document.title = "Extremal perturbations";
  show(stage, welcome());
  leave = () => {};
}

addEventListener("hashchange", () => {
  route();
  stage.focus({ preventScroll: matchMedia("(min-width: 62rem)").matches });
});
route();
