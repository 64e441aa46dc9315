// A target at a place of the image, as people write it: “dog at 40, 60, 320, 400”, “dog within its pixels”.

const ITS_PIXELS = "its pixels";
const NUMBER = "-?\\d+(?:\\.\\d+)?";
const BOX = `${NUMBER}(?:\\s*,\\s*${NUMBER}){3}`;
const DETECTION = new RegExp(`^(?:(.+?)\\s+)?at\\s+(${BOX})$`);
const PLACE = `${BOX}|target_mask|${ITS_PIXELS}`;
const SEGMENT = new RegExp(`^(.+?)\\s+within\\s+(${PLACE})$`);

/** Return a box or a segment as people write it; null for another target. `named` names a class. */
export function writtenRegion(target, named) {
  if (target?.box) {
    return [target.label === null ? "" : named(target.label), `at ${target.box.join(", ")}`].join(" ").trim();
  }
  if (target?.segment === undefined) return null;
  const within = target.within ?? ITS_PIXELS;
  return `${named(target.segment)} within ${Array.isArray(within) ? within.join(", ") : within}`;
}

/** Return the box or the segment that was written, as the API takes it; null for another target. */
export function askedRegion(text, classOf) {
  const box = DETECTION.exec(text);
  if (box) return { box: numbers(box[2]), label: box[1] === undefined ? null : classOf(box[1]) };
  const segment = SEGMENT.exec(text);
  if (!segment) return null;
  const [, label, within] = segment;
  const region = within === ITS_PIXELS ? null : within === "target_mask" ? within : numbers(within);
  return { segment: classOf(label), within: region };
}

/** Return whether a place was written without the class that is to be found there. */
export const isNameless = (text) => new RegExp(`^within\\s+(?:${PLACE})$`).test(text.trim());

/** Return the box in the text of a target, as [left, top, right, bottom]; null for none. */
export function boxIn(text) {
  const found = new RegExp(`(?:\\bat|\\bwithin)\\s+(${BOX})$`).exec(text.trim());
  return found && numbers(found[1]);
}

/** Return the text of a target with another box, or with one: `word` is “at” or “within”. */
export function withBox(text, word, box) {
  const label = text.trim().replace(new RegExp(`(^|\\s+)(?:at|within)\\s+(?:${PLACE})$`), "");
  return `${label} ${word} ${box.join(", ")}`.trim();
}

const numbers = (box) => box.split(",").map(Number);
