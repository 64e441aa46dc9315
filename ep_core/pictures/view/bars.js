// Growth bars (figure 5): how much of the score each area keeps, or leaves when it is removed.

import { el, svg } from "./dom.js";
import { VARIANTS } from "./sides.js";
import { pointable } from "./tip.js";
import { done, percent } from "./words.js";

const [WIDTH, HEIGHT, MOST, FOOT] = [440, 104, 1.25, 18];
const WORDS = { keep: "kept", drop: "left when removed" };

/**
 * Return bars of the score at each area as a share of the whole image's, `{node, mark({k, side})}`; `onPick(k)` is told which
 * was clicked. Null where there is one area only.
 */
export function growthBars(result, onPick) {
  const points = result.curve;
  if (points.length < 2) return null;
  const best = Math.max(1e-6, ...points.map((one) => one.preserve));
  const isPositive = result.scores.original > 0;
  const whole = isPositive ? result.scores.original : best;
  const step = WIDTH / points.length;
  const [low, room] = [HEIGHT - FOOT, HEIGHT - FOOT - 2];
  const tall = (share) => Math.max(2, (Math.min(MOST, Math.max(0, share)) / MOST) * room);
  const bars = points.map((_, k) => svg("rect", { x: k * step + 2, width: step - 4, rx: 3 }));
  const few = Math.ceil(points.length / 12); // names that stay apart
  const names = points.map((one, k) =>
    k % few === 0
      ? svg("text", { x: (k + 0.5) * step, y: HEIGHT - 3, "text-anchor": "middle" }, percent(one.area))
      : null
  );
  const line = svg("line", { class: "reference", x1: 0, x2: WIDTH, y1: low - tall(1), y2: low - tall(1) });
  const drawn = svg("svg", { class: "curve bars", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" }, bars, line, names);
  const caption = el("figcaption");
  let shown = "keep";
  const share = (k) => points[k][VARIANTS[shown]] / whole;
  const words = (k) => [percent(points[k].area), `${done(share(k))} of the score ${WORDS[shown]}`];

  function mark({ k, side }) {
    shown = side;
    bars.forEach((bar, j) => {
      bar.setAttribute("class", `bar ${side}-bar${j === k ? " on" : ""}`);
      bar.setAttribute("y", low - tall(share(j)));
      bar.setAttribute("height", tall(share(j)));
    });
    const original = isPositive ? "the original" : "the highest";
    caption.textContent = `Score ${WORDS[side]}, % of ${original} (bars end at 125%)`;
    drawn.setAttribute("aria-label", caption.textContent);
  }

  const places = points.map((_, k) => (k + 0.5) * step);
  return { node: el("figure", {}, caption, pointable(drawn, places, words, onPick)), mark };
}
