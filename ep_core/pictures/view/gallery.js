// Results of several images beside each other, all at one area.

import { ground, make } from "./canvas.js";
import { el } from "./dom.js";
import { once, onceEach } from "./once.js";
import { frameOf } from "./reveal.js";
import { amount } from "./sides.js";
import { sideBySide } from "./sidebyside.js";
import { laid, read } from "./small.js";
import { spotlit } from "./spotlit.js";
import { className, needs, percent, quoted } from "./words.js";

/**
 * Return results to look at, a node. `images` are `{name, picture, result, note}`: `picture` the address of a small picture
 * (null: there is none), `result` what was found in it (null: nothing), with masks in the network's frame in its curve, and
 * `note` why there is none. `more` images are not among them.
 */
export function gallery(images, more) {
  const { slider, galleries } = underOneSlider([images]);
  const rest = more > 0 && el("p.dim", {}, `${more} more are not on this page.`);
  return el("div.stack", {}, slider, galleries, rest);
}

/** Return the slider of several groups of such results, a node, and a node for each: `{slider, galleries}`. */
export function underOneSlider(groups) {
  const tiles = groups.map((images) => images.map(tile));
  const all = tiles.flat();
  const slider = sideBySide((area) => all.forEach(({ draw }) => draw(area)), { least: 1 });
  slider.offer(groups.flat().map(({ result }) => shownAreas(result)).filter((areas) => areas.length));
  all.forEach(({ draw }) => draw(slider.area()));
  const galleries = tiles.map((group) => el("div.tiles.methods", {}, group.map(({ node }) => node)));
  return { slider: slider.node, galleries };
}

const shownAreas = (result) => (result?.curve || []).filter(({ mask }) => mask).map(({ area }) => area);

function tile({ name, picture, result, note }) {
  const areas = shownAreas(result);
  const says = el("span.keeps");
  const words = el(
    "figcaption",
    {},
    el("div", {}, name),
    result && found(result),
    says,
    note && el("p.error", {}, note),
  );
  if (!picture || !areas.length) {
    const still = picture && el("img", { src: picture, alt: name, loading: "lazy" });
    return { node: el("figure", {}, still, words, warnings(result)), draw: () => {} };
  }
  const canvas = make(1, 1);
  canvas.className = "reveal";
  canvas.setAttribute("role", "img");
  const base = once(() => ground(picture));
  const maskAt = onceEach(async (address) => laid(await read(address), result, await base()).values);
  let wanted = null;

  async function draw(area) {
    const point = pointAt(result, area);
    wanted = point;
    says.textContent = left(result, point);
    canvas.setAttribute("aria-label", `${name}: ${percent(point.area)} kept`);
    try {
      const [image, mask] = [await base(), await maskAt(point.mask)];
      if (wanted === point) spotlit(canvas, image, frameOf(result, image), mask);
    } catch (problem) {
      if (wanted === point) says.textContent = problem.message;
    }
  }

  return { node: el("figure", {}, canvas, words, warnings(result)), draw };
}

/** Return the point of a curve at an area; at a* for null, at the largest area where none suffices. */
function pointAt({ curve, optimal_area: best }, area) {
  const shown = curve.filter(({ mask }) => mask);
  return shown.find((one) => one.area === (area ?? best)) || shown.at(-1);
}

function found(result) {
  const least = needs(result);
  return el("div", {}, el("b", {}, className(result)), least ? `: a* ${least}` : ": no area suffices");
}

/** Return what is left of the target when only an area is kept. */
function left(result, point) {
  const { original_probability: probability, original: score } = result.scores;
  const kept = amount({ probability: point.preserve_probability, score: point.preserve });
  return `${percent(point.area)} kept: ${quoted(result)} ${kept}, ${amount({ probability, score })} in the whole image`;
}

function warnings(result) {
  const said = result?.warnings || [];
  if (!said.length) return null;
  const title = said.length === 1 ? "1 warning" : `${said.length} warnings`;
  return el("details", {}, el("summary", {}, title), said.map(({ detail }) => el("p.dim", {}, detail)));
}
