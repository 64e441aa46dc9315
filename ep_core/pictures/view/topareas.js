// The top areas of a method's map, as masks: its highest pixels, as many as an area has.

/**
 * Return the mask of the highest `share` of a map (bytes, `width` in a row) within the network's frame, a byte per pixel. Where
 * more pixels than that are equally high, each is kept in part, so that the area is exact.
 */
export function topArea(map, width, { left, top, right, bottom }, share) {
  const counts = new Uint32Array(256);
  const each = (visit) => {
    for (let y = top; y < bottom; y += 1) for (let p = y * width + left; p < y * width + right; p += 1) visit(p);
  };
  each((p) => (counts[map[p]] += 1));
  let level = 255;
  let rest = share * (right - left) * (bottom - top);
  while (level > 0 && counts[level] <= rest) {
    rest -= counts[level];
    level -= 1;
  }
  const part = Math.round((255 * rest) / Math.max(1, counts[level]));
  const mask = new Uint8Array(map.length);
  each((p) => (mask[p] = map[p] > level ? 255 : map[p] === level ? part : 0));
  return mask;
}
