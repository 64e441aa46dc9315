// A page that holds one sweep.

import { held, inPage, showPage } from "./exporting.js";
import { sweepView } from "./sweep.js";

const { result, image } = held();
const { answer, steady, look } = sweepView(result, inPage(image));
showPage(answer, result, steady, look);
