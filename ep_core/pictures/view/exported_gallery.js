// A page that holds the results of several images.

import { held, showPage } from "./exporting.js";
import { gallery } from "./gallery.js";

const { images, made, more } = held();
showPage(`${images.length + more} ${images.length + more === 1 ? "image" : "images"}`, made, gallery(images, more));
