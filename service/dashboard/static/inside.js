// Inside the network: a layer's channels that the score needs, what they look at and look for (section 5).

import { picture } from "./api.js";
import { scoreCurve } from "./curve.js";
import { el, show } from "./dom.js";
import { numbers, table } from "./findings.js";
import { countOfChannels, meaning } from "./optimum.js";
import { number, quoted } from "./words.js";

/** Return the page of a finished job of the task `channels`. */
export function channelsPage(job, result) {
  const curve = scoreCurve(result, (k) => curve.mark(k), { unit: `channels of ${result.layer.name}`, counts: true });
  const names = { full: "An image with all channels", masked: "An image with the chosen ones" };
  return el(
    "div.stack",
    {},
    el("h1.answer", {}, meaning(result, countOfChannels(result)), "."),
    el(
      "div.look",
      {},
      el(
        "div.tiles.wide",
        {},
        figure(job.links.saliency, "Where they are active"),
        Object.entries(names).map(([key, text]) =>
          job.links.inversions?.[key] && figure(job.links.inversions[key], text)
        ),
      ),
      el("div.stack", {}, curve.node, numbers(result), channels(result.channels)),
    ),
  );
}

/** Return the page of a finished job of the task `class_channels`. */
export function classPage(job, result) {
  const name = quoted(result);
  return el(
    "div.stack",
    {},
    el("h1.answer", {}, `The channels of ${result.layer.name} that ${name} needs, over ${result.images.length} images`),
    figure(job.links.sheet, "A row for each channel: what it looks for, and the images that excite it most"),
    table(["Channel", "Weight"], result.channels.map((one) => [one.channel, number(one.weight)])),
  );
}

/** Return a picture of a job under words. */
export function figure(path, text) {
  const image = el("img.picture", { alt: text });
  const node = el("figure", {}, image, el("figcaption", {}, text));
  picture(path)
    .then((address) => (image.src = address))
    .catch((error) => show(node, el("p.error", {}, error.message)));
  return node;
}

function channels(found) {
  const rows = found.slice(0, 12).map((one) => [one.channel, one.first_area, number(one.contribution)]);
  return el(
    "div",
    {},
    el("h2", {}, "The channels that matter most"),
    table(["Channel", "In the mask from", "Contribution"], rows),
  );
}
