// A comparison that still runs: a place for each method, where the image shows what its map finds once it has ended.

import { picture, sized } from "./api.js";
import { ground, make } from "./canvas.js";
import { el, show } from "./dom.js";
import { frameOf } from "./reveal.js";
import { blank, laid, read } from "./small.js";
import { spotlit } from "./spotlit.js";

const LONGEST = 320; // pixels of a place's longer side

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
      const one = places.get(method);
      if (!one || one.shown || !subject) continue;
      one.shown = true;
      await draw(one, method, map).catch(() => (one.shown = false)); // each preview has all maps
    }
  }

  async function draw(one, method, map) {
    const canvas = await lit(await read(map), subject, links.images?.[0]);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `What ${titled(method)} finds`);
    show(one.picture, canvas);
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
  const [shown, words] = [el("div.place-picture"), el("span.dim", {}, "waiting")];
  const node = el("figure", {}, shown, el("figcaption", {}, el("span", {}, titled(name)), " · ", words));
  return { node, picture: shown, words, shown: false };
}

/** Return the image in the spotlight of a map; the map alone where the image isn't kept. */
async function lit(small, subject, link) {
  if (!link) {
    const { canvas, draw } = blank(subject, LONGEST);
    draw({ mask: laid(small, subject, canvas) });
    return canvas;
  }
  const base = await ground(await picture(sized(link, LONGEST)));
  const canvas = make(base.width, base.height);
  spotlit(canvas, base, frameOf({ ...subject, model: subject }, base), laid(small, subject, base).values);
  return canvas;
}
