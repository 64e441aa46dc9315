// A comparison that still runs: a place for each method, where the image shows what its map finds once it has ended.

import { picture, sized } from "./api.js";
import { el, show } from "./dom.js";
import { canvasOf, laid, read } from "./small.js";

const LONGEST = 320; // pixels of a place's longer side
const DIMMED = 0.72; // of what a map leaves out

/** Return the places of a job's methods, `{node, progress(now), preview(found)}`. */
export function gathering({ params: { methods }, links }) {
  const places = new Map(methods.map((name) => [name, placeOf(name)]));
  const node = el("div.tiles.methods.gathering", {}, [...places.values()].map((one) => one.node));
  let subject = null;

  function progress({ stage, ended = [], subject: found }) {
    subject ||= found;
    const over = methods.indexOf(stage); // -1 while their maps are scored: all have ended
    for (const [k, name] of methods.entries()) {
      const { words } = places.get(name);
      words.textContent = said(ended.includes(name), over < 0 ? 1 : over - k);
    }
  }

  async function preview({ maps = [] }) {
    for (const { method, map } of maps) {
      const place = places.get(method);
      if (!place || place.shown || !subject) continue;
      place.shown = true;
      const canvas = await spotlight(await read(map), subject, links.images?.[0]);
      canvas.setAttribute("aria-label", `What ${titled(method)} finds`);
      show(place.picture, canvas);
    }
  }

  return { node, progress, preview };
}

const titled = (name) => name.replaceAll("_", " ");

/** Return how a method stands, which comes `turn` places after the one that runs. */
function said(hasEnded, turn) {
  if (hasEnded) return "done";
  if (turn > 0) return "nothing to show";
  return turn === 0 ? "running…" : "waiting";
}

function placeOf(name) {
  const [place, words] = [el("div.place-picture"), el("span.dim", {}, "waiting")];
  const node = el("figure", {}, place, el("figcaption", {}, el("span", {}, titled(name)), " · ", words));
  return { node, picture: place, words, shown: false };
}

/** Return the image, dimmed where a map finds nothing; the map alone where the image isn't kept. */
async function spotlight(small, subject, link) {
  const { width, height } = subject.image;
  const scale = LONGEST / Math.max(width, height);
  const canvas = canvasOf(Math.round(width * scale), Math.round(height * scale));
  const context = canvas.getContext("2d");
  const lit = laid(small, subject, canvas).canvas;
  canvas.setAttribute("role", "img");
  if (link) {
    const photograph = new Image();
    photograph.src = await picture(sized(link, LONGEST));
    await photograph.decode();
    context.drawImage(photograph, 0, 0, canvas.width, canvas.height);
    const masked = lit.getContext("2d");
    masked.globalCompositeOperation = "source-in";
    masked.drawImage(photograph, 0, 0, canvas.width, canvas.height);
  }
  context.globalAlpha = link ? DIMMED : 1;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.globalAlpha = 1;
  context.drawImage(lit, 0, 0);
  return canvas;
}
