// The methods of a comparison beside each other: their maps as heat, or their top areas in the spotlight.

import { picture, sized } from "./api.js";
import { ground, make } from "./canvas.js";
import { el } from "./dom.js";
import { enlarge } from "./enlarge.js";
import { alphaMask, frameOf } from "./reveal.js";
import { spotlight, veil } from "./shades.js";
import { topArea } from "./topareas.js";
import { chance, number, percent } from "./words.js";

const LONGEST = 480; // pixels of the longer side of a tile
const REMOVED = "delete";

/** Return the tiles, `{node, mark({k, kind, shows})}`: `shows` is "heat" or "top", `k` the area, `kind` whether it is kept. */
export function methodTiles(job, result) {
  const image = once(() => picture(sized(job.links.images[0], LONGEST)).then(ground));
  const tiles = result.methods.map((one) => (one.unavailable ? unavailable(one) : tile(one, result, image)));
  return {
    node: el("div.tiles.methods", {}, tiles.map(({ node }) => node)),
    mark: (state) => tiles.forEach(({ mark }) => mark?.(state)),
  };
}

const unavailable = (one) => ({
  node: el("figure", {}, el("p.dim", {}, one.unavailable), el("figcaption", {}, one.title || one.method)),
});

function tile(one, result, image) {
  const heat = el("img", { alt: `What ${one.title} finds`, loading: "lazy" });
  const canvas = make(1, 1);
  canvas.hidden = true;
  const button = el("button.tile-button", { type: "button", "aria-label": `Enlarge: ${one.title}` }, heat, canvas);
  const says = el("b.keeps");
  const node = el("figure", { title: one.source }, button, el("figcaption", {}, caption(one), says));
  const drawing = once(() => top(one, result, image));
  button.addEventListener("click", () => enlarge(canvas.hidden ? heat.src : canvas.toDataURL(), one.title));
  picture(one.overlay).then((address) => (heat.src = address)).catch(
    () => (heat.alt = "The picture couldn’t be downloaded"),
  );
  let wanted = null;

  async function mark({ k, kind, shows }) {
    const mine = wanted = {};
    const isTop = shows === "top" && one.curve.length > 0;
    if (isTop) {
      const paint = await drawing();
      await paint(canvas, k, kind === REMOVED);
      if (mine !== wanted) return; // another area by now
    }
    [heat.hidden, canvas.hidden] = [isTop, !isTop];
    says.textContent = isTop ? left(one.curve[k], kind) : "";
  }

  return { node, mark };
}

/** Return what is left of the target under a mask, a probability or a score. */
function left(point, kind) {
  const probability = point[`${kind}_probability`];
  return ` ${percent(point.area)} ${kind === REMOVED ? "removed" : "kept"}: ${
    typeof probability === "number" ? chance(probability) : number(point[kind])
  }`;
}

function caption(one) {
  const took = one.seconds === null ? "" : `, ${one.seconds < 10 ? number(one.seconds) : Math.round(one.seconds)} s`;
  return [`${one.title}${took}`, one.layer && el("span.dim", {}, ` at ${one.layer}`)].filter(Boolean);
}

/** Return what draws a method's top area on a canvas; masks that the result has are taken as they are. */
async function top(one, result, image) {
  const base = await image();
  const frame = frameOf(result, base);
  const own = one.curve[0].mask ? null : await alphaMask(await picture(one.map), base);
  const maskAt = async ({ mask, area }) =>
    own ? topArea(own.values, base.width, frame, area) : (await alphaMask(await picture(mask), base)).values;
  return async (canvas, k, isRemoved) => {
    const mask = await maskAt(one.curve[k]);
    [canvas.width, canvas.height] = [base.width, base.height];
    const context = canvas.getContext("2d");
    const shown = context.createImageData(base);
    spotlight(base, isRemoved ? mask.map((value) => 255 - value) : mask, 1, shown);
    veil(base, frame, 1, shown);
    context.putImageData(shown, 0, 0);
  };
}

/** Return a function that does something the first time only. */
function once(make) {
  let made = null;
  return () => (made ||= make());
}
