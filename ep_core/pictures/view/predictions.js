// What the network says: its top classes with their probabilities, as more or less of the image is kept or removed.

import { el, show } from "./dom.js";
import { amount, VARIANTS } from "./sides.js";
import { className } from "./words.js";

/** Return the target's entry among top classes; undefined where it isn't there. */
export const targetIn = (top, { target }) =>
  top?.find((one) => (target.index === null ? one.label === target.label : one.index === target.index));

/**
 * Return the panel of a result's predictions, `{node, mark(mask, side)}`: of the mask that is looked at (`maskOf`), kept or
 * removed. Null for results without predictions.
 */
export function predictions(result) {
  const known = result.scores.predictions;
  if (!known) return null;
  const head = el("p.says");
  const rows = known.original.map(row);
  const target = row();
  const list = el("ol.predicted", {}, rows.map(({ node }) => node), target.node);

  function mark({ predictions: found, share, point }, side) {
    const top = found?.[VARIANTS[side]];
    list.hidden = !top;
    if (!top) return show(head, "No predictions are known of this mask.");
    const before = known.original[0];
    show(
      head,
      change(before, top[0]),
      el("span.dim", {}, side === "drop" ? ` with ${share} removed` : ` with only ${share} kept`),
    );
    rows.forEach((one, k) => one.tell(top[k]));
    target.tell(targetIn(top, result) ? null : ownEntry(result, point, VARIANTS[side]));
  }

  const legend = el("p.dim", {}, "The thin line is what it says of the whole image.");
  const node = el(
    "section.predictions",
    { "aria-label": "What the network says" },
    el("h2", {}, "What the network says"),
    head,
    list,
    legend,
  );
  return { node, mark };

  /** Return a row of the list that can tell any class: bars move where only their values change. */
  function row() {
    const [name, bar, line, value] = [el("span.name"), el("i.bar"), el("i.whole"), el("span.num")];
    const node = el("li", {}, name, el("span.track", { "aria-hidden": "true" }, bar, line), value);
    const tell = (one) => {
      node.hidden = !one;
      if (!one) return;
      const whole = known.original.find(({ index, label }) => index === one.index && label === one.label)?.probability;
      name.textContent = name.title = one.label;
      node.classList.toggle("target", one === targetIn([one], result));
      bar.style.setProperty("width", `${100 * (one.probability ?? 0)}%`);
      line.hidden = typeof whole !== "number";
      line.style.setProperty("left", `${100 * (whole ?? 0)}%`);
      value.textContent = amount(one);
    };
    return { node, tell };
  }
}

/** Return how the top class changes, as nodes: “pizza 92% → potpie 31%”, or “pizza 92% → 87%” where it stays the same. */
function change(before, now) {
  const stays = before.label === now.label;
  return [
    `${before.label} ${amount(before)}`,
    el("span", { role: "img", "aria-label": "becomes" }, " → "),
    el("b", {}, stays ? amount(now) : `${now.label} ${amount(now)}`),
  ];
}

/** Return the target’s entry where it is none of the top classes; its probability is known of the areas’ masks. */
function ownEntry(result, point, variant) {
  const probability = point?.[`${variant}_probability`];
  if (typeof probability !== "number") return null;
  return { index: result.target.index, label: className(result), probability, score: point[variant] };
}
