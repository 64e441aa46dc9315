// Results of a dataset: how little suffices, of which images least and most, by class, right against wrong.

import { el, svg } from "./dom.js";
import { underOneSlider } from "./gallery.js";
import { pointable } from "./tip.js";
import { done, percent } from "./words.js";

const [WIDTH, HEIGHT, HEAD, FOOT] = [560, 190, 18, 20];
const GROUPS = {
  right: { words: "predicted right", bar: "keep-bar", mark: "keep-mark" },
  wrong: { words: "predicted wrong", bar: "drop-bar", mark: "drop-mark" },
  unknown: { words: "images", bar: "keep-bar", mark: "keep-mark" },
};
const images = (count) => `${count} ${count === 1 ? "image" : "images"}`;
const least = (area) => (area === null ? "none suffices" : percent(area));

/** Return what a summary says, in a sentence. */
export function heading({ explained, median }) {
  if (!explained) return "No image is explained";
  const half = median === null ? "of half of them no area suffices" : `half of them need ${percent(median)} or less`;
  return `${images(explained)}: ${half}`;
}

/** Return what a summary (`ep_core.dataset.summary`) shows, as nodes. */
export function dataset(summary) {
  const { smallest, largest, wrong_ones: wrong, more_problems: more } = summary;
  const kinds = {
    "Where a* is smallest": smallest,
    "Where a* is largest": largest,
    "Wrong predictions, the smallest a* first": wrong,
  };
  const { slider, galleries } = underOneSlider(Object.values(kinds));
  slider.classList.add("following");
  return [
    el("p.dim", {}, tally(summary)),
    summary.explained > 0 && section("How little suffices", distribution(summary.counts)),
    slider,
    ...Object.entries(kinds).map(([title, shown], k) => shown.length > 0 && section(title, galleries[k])),
    section("By class", ...classes(summary)),
    section(`Not explained: ${images(summary.images - summary.explained)}`, ...problems(summary.problems, more)),
  ].filter((node) => node);
}

const section = (title, ...nodes) => nodes.length > 0 && el("section.stack", {}, el("h2", {}, title), nodes);

function tally({ images: all, explained, right, wrong }) {
  const said = [`${explained} of ${images(all)} explained`];
  if (right + wrong) said.push(`${right} predicted right, ${wrong} wrong (${done(right / (right + wrong))} right)`);
  return `${said.join("; ")}.`;
}

/** Return bars of how many images need each area: of right and wrong predictions, each as a share of its own group. */
function distribution(counts) {
  const total = (name) => counts.reduce((sum, one) => sum + one[name], 0);
  const known = ["right", "wrong"].filter(total);
  const names = known.length ? known : ["unknown"];
  const share = (one, name) => one[name] / total(name);
  const most = Math.max(...counts.flatMap((one) => names.map((name) => share(one, name))));
  const [step, low] = [WIDTH / counts.length, HEIGHT - FOOT];
  const width = (step - 12) / names.length;
  const bars = counts.flatMap((one, k) =>
    names.map((name, place) => {
      const height = (share(one, name) / most) * (low - HEAD);
      const x = k * step + 6 + place * width;
      return svg("rect", { class: `bar on ${GROUPS[name].bar}`, x, y: low - height, width: width - 2, height, rx: 3 });
    })
  );
  const few = Math.ceil(counts.length / 12); // words that stay apart
  const words = counts.map(({ area }, k) =>
    k % few === 0 || area === null
      ? svg(
        "text",
        { x: (k + .5) * step, y: HEIGHT - 4, "text-anchor": "middle" },
        area === null ? "none" : percent(area),
      )
      : null
  );
  const label = "How many images need each area at least";
  const box = { class: "curve bars", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label };
  const tell = (k) => [
    counts[k].area === null ? "no area suffices" : `a* ${percent(counts[k].area)}`,
    ...names.map((name) => `${GROUPS[name].words}: ${counts[k][name]} (${done(share(counts[k], name))})`),
  ];
  const drawn = pointable(svg("svg", box, bars, words), counts.map((_, k) => (k + .5) * step), tell);
  return el("figure.distribution", {}, drawn, el("figcaption", {}, legend(names, total)));
}

function legend(names, total) {
  const marked = names.map((name) => {
    const { words, mark } = GROUPS[name];
    return el(
      "span",
      {},
      el(`i.${mark}`),
      name === "unknown" ? images(total(name)) : `${words}: ${images(total(name))}`,
    );
  });
  return el("p.legend", {}, marked, el("span", {}, "a*, the smallest area of the sweep that suffices"));
}

function classes({ classes: rows, more_classes: more }) {
  if (!rows.length) return [];
  const isKnown = rows.some(({ right }) => right !== null);
  const cell = (text) => el("td.num", {}, text);
  const head = ["Images", "Median a*", "None suffices", ...(isKnown ? ["Right"] : [])];
  const body = rows.map(({ label, images: count, median, unreached, right }) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, label),
      cell(String(count)),
      cell(least(median)),
      cell(String(unreached)),
      isKnown && cell(right === null ? "–" : done(right / count)),
    )
  );
  const heads = [el("th", { scope: "col" }, "Class"), ...head.map((text) => el("th.num", { scope: "col" }, text))];
  const table = el("table", {}, el("thead", {}, el("tr", {}, heads)), el("tbody", {}, body));
  const scroll = el("div.scroll.long", { tabIndex: 0, role: "region", "aria-label": "By class" }, table);
  return [scroll, ...(more ? [el("p.dim", {}, `${more} more classes, in the middle, are not on this page.`)] : [])];
}

function problems(rows, more) {
  if (!rows.length) return [];
  const list = el("ul", {}, rows.map(([id, problem]) => el("li", {}, el("b", {}, id), `: ${problem}`)));
  return [list, ...(more ? [el("p.dim", {}, `${more} more are in results.parquet.`)] : [])];
}
