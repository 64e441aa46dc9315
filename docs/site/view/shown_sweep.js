// A finished sweep to play with, as the dashboard opens with it.

import { held, inPage, showPage } from "./exporting.js";
import { sweepView } from "./sweep.js";

const { result, image } = held();
const { answer, steady, look } = sweepView(result, inPage(image));
showPage(answer, null, steady, look);
