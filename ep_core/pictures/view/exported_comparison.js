// A page that holds one comparison.

import { comparisonView } from "./comparison.js";
import { held, inPage, showPage } from "./exporting.js";

const { result, image } = held();
const { answer, look } = comparisonView(result, inPage(image));
showPage(answer, result, look);
