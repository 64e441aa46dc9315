// A target as people write it, and as the API takes it: a class, one instead of another, a text, a place of the image.

import { askedRegion, writtenRegion } from "./region.js";

const INSTEAD = " instead of ";
const AGAINST = " against ";
const SIMILAR = "similar to the second picture";

/** Return a target as people write it; `nameOf` names a class by its index. */
export function written(target, nameOf = (index) => `class ${index}`) {
  const named = (one) => (typeof one === "number" ? nameOf(one) : one);
  if (target?.similar_to) return SIMILAR;
  if (target?.text) return [target.text, target.against?.join("; ")].filter(Boolean).join(AGAINST);
  if (target?.instead_of !== undefined) return named(target.class) + INSTEAD + named(target.instead_of);
  return writtenRegion(target, named) ?? named(target);
}

/** Return the part of a request that has the target's own picture; null where there is none. */
export function partOf(target) {
  if (target?.similar_to) return "target_image";
  return target?.within === "target_mask" ? "target_mask" : null;
}

/** Return a target with its own pictures, by part: a second one is the target itself, a mask is where a class is. */
export function withPictures(target, { target_image: second, target_mask: mask }) {
  if (second) return { similar_to: "target_image" };
  if (!mask || target === null) return target;
  const segment = typeof target === "object" ? target.segment : target;
  return segment === undefined ? target : { segment, within: "target_mask" };
}

/**
 * Return what was written as the API takes it; null for nothing, the top class.
 *
 * `names` are those of the classes, by index; those that several share end in their index. Where a model `takesTexts`,
 * what names no class is a text.
 */
export function asked(text, names, takesTexts) {
  const written = text.trim();
  if (!written) return null;
  if (names.includes(written) || /^\d+$/.test(written)) return classOf(written, names);
  const region = askedRegion(written, (name) => classOf(name, names));
  if (region) return region;
  if (written.includes(INSTEAD)) {
    const [wanted, rival] = written.split(INSTEAD, 2);
    return { class: classOf(wanted, names), instead_of: classOf(rival, names) };
  }
  return takesTexts ? textOf(written) : written;
}

function classOf(name, names) {
  const text = name.trim();
  const index = names.indexOf(text);
  if (/^\d+$/.test(text)) return Number(text);
  return index >= 0 && text.endsWith(`(${index})`) ? index : text;
}

function textOf(written) {
  const [text, others = ""] = written.split(AGAINST, 2);
  return { text: text.trim(), against: others.split(";").map((one) => one.trim()).filter(Boolean) };
}
