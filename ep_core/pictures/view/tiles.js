// The methods of a comparison beside the image: their maps as heat, or their top areas in the spotlight.

import { ground, make } from "./canvas.js";
import { el } from "./dom.js";
import { enlarge } from "./enlarge.js";
import { once } from "./once.js";
import { alphaMask, frameOf } from "./reveal.js";
import { inverse } from "./shades.js";
import { amount } from "./sides.js";
import { spotlit } from "./spotlit.js";
import { topArea } from "./topareas.js";
import { number, percent } from "./words.js";

/** Pixels of the longer side of a tile. */
export const LONGEST = 480;
const REMOVED = "delete";
const FAILED = "The picture couldn’t be downloaded";

/**
 * Return the tiles, `{node, mark({k, kind, shows})}`: `shows` is "heat" or "top", `k` the area, `kind` whether it is kept.
 *
 * `image` is the address of the image (null: it isn't kept), and `open(path)` gives the address of a file of the result.
 */
export function methodTiles(result, { image, open }) {
  const base = once(() => open(image).then(ground));
  const tiles = result.methods.map((one) => (one.unavailable ? unavailable(one) : tile(one, result, base, open)));
  return {
    node: el("div.tiles.methods", {}, image !== null && photograph(image, open), tiles.map(({ node }) => node)),
    mark: (state) => tiles.forEach(({ mark }) => mark?.(state)),
  };
}

const unavailable = (one) => ({
  node: el("figure", {}, el("p.dim", {}, one.unavailable), el("figcaption", {}, one.title || one.method)),
});

function photograph(image, open) {
  const shown = el("img", { alt: "The image" });
  open(image).then((address) => (shown.src = address)).catch(() => (shown.alt = FAILED));
  return el("figure.photograph", {}, shown, el("figcaption", {}, "The image"));
}

function tile(one, result, image, open) {
  const heat = el("img", { alt: `What ${one.title} finds`, loading: "lazy" });
  const canvas = make(1, 1);
  canvas.hidden = true;
  const button = el("button.tile-button", { type: "button", "aria-label": `Enlarge: ${one.title}` }, heat, canvas);
  const says = el("b.keeps");
  const node = el("figure", { title: one.source }, button, el("figcaption", {}, caption(one), says));
  const drawing = once(() => top(one, result, image, open));
  button.addEventListener("click", () => enlarge(canvas.hidden ? heat.src : canvas.toDataURL(), one.title));
  open(one.overlay).then((address) => (heat.src = address)).catch(() => (heat.alt = FAILED));
  let wanted = null;

  async function mark({ k, kind, shows }) {
    const mine = wanted = {};
    const isTop = shows === "top" && one.curve.length > 0;
    try {
      const paint = isTop && await (await drawing())(one.curve[k], kind === REMOVED);
      if (mine !== wanted) return; // another area by now
      if (paint) paint(canvas);
      [heat.hidden, canvas.hidden] = [isTop, !isTop];
      says.textContent = isTop ? left(one.curve[k], kind) : "";
    } catch (problem) {
      if (mine === wanted) says.textContent = problem.message;
    }
  }

  return { node, mark };
}

/** Return what is left of the target under a mask, a probability or a score. */
function left(point, kind) {
  const rest = amount({ probability: point[`${kind}_probability`], score: point[kind] });
  return ` ${percent(point.area)} ${kind === REMOVED ? "removed" : "kept"}: ${rest}`;
}

function caption(one) {
  const took = one.seconds === null ? "" : `, ${one.seconds < 10 ? number(one.seconds) : Math.round(one.seconds)} s`;
  return [`${one.title}${took}`, one.layer && el("span.dim", {}, ` at ${one.layer}`)].filter(Boolean);
}

/** Return a function of a point of a method's curve that returns what draws its top area; masks that the result has are taken as they are. */
async function top(one, result, image, open) {
  const base = await image();
  const frame = frameOf(result, base);
  const own = one.curve[0].mask ? null : await alphaMask(await open(one.map), base);
  const maskAt = async ({ mask, area }) =>
    own ? topArea(own.values, base.width, frame, area) : (await alphaMask(await open(mask), base)).values;
  return async (point, isRemoved) => {
    const mask = await maskAt(point);
    return (canvas) => spotlit(canvas, base, frame, isRemoved ? inverse(mask) : mask);
  };
}
