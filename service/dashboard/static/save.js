// Saving files: what the API has, with the key, and what the page itself has made.

import { request } from "./api.js";
import { el } from "./dom.js";

/** Save what a path has; what goes wrong is said in `said`. */
export async function saveFrom(path, name, said) {
  try {
    saveBlob(await (await request(path)).blob(), name);
    said.textContent = "";
  } catch (error) {
    said.textContent = error.message;
  }
}

export const saveText = (text, name) => saveBlob(new Blob([text], { type: "text/csv" }), name);

export function saveBlob(blob, name) {
  const address = URL.createObjectURL(blob);
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}
