// A page that holds the summary of a dataset's results.

import { dataset, heading } from "./dataset.js";
import { held, showPage } from "./exporting.js";

const summary = held();
showPage(heading(summary), summary.made, ...dataset(summary));
