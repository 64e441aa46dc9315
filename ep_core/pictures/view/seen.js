// What the network sees of the image, and of what an area is a share.

/** From which share on all of an image counts as seen, and of a frame as filled. `ep_core/schemas/pixels.py` has the same. */
export const NEARLY_ALL = 0.995;

/** Return whether a part of the image is cut off, which the network never sees. */
export const isCut = ({ coverage }) => Boolean(coverage) && coverage.image < NEARLY_ALL;

/** Return whether the image is padded to fill the network's frame. */
export const isPadded = ({ coverage }) => Boolean(coverage) && coverage.frame < NEARLY_ALL;

/** Return what areas are shares of, in words. */
export function whole(result) {
  if (isPadded(result)) return "the padded image";
  return isCut(result) ? "what the network sees" : "the image";
}
