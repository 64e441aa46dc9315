// What the network is shown (3.4): ever stronger blurs of the image, or its fade to black, dosed per pixel by a mask.

const MOST_LEVELS = 16; // more of them look the same
const FINENESS = 2; // cells per sigma that a blur is kept in: finer ones read the same
const REACH = 3; // sigmas at which a kernel ends

/**
 * Return the `levels` blurs of `image` (ImageData) from none to `sigma`, along x and y in pixels.
 * `frame` is what the network sees, [left, top, right, bottom] in whole pixels: in there, nothing from outside mixes in.
 */
export function blurPyramid(image, { sigma, levels, frame: [left, top, right, bottom] }) {
  const sharp = sharpLevel(image);
  const last = Math.min(levels, MOST_LEVELS) - 1;
  const blurs = Array.from({ length: last }, (_, k) => {
    // Where not all levels are kept, more of the weak ones: they differ most.
    const at = Math.max(k + 1, Math.round((levels - 1) * ((k + 1) / last) ** 2)) / (levels - 1);
    return blur(
      sharp,
      at,
      axis(image.width, left, right, at * sigma[0]),
      axis(image.height, top, bottom, at * sigma[1]),
    );
  });
  return [sharp, ...blurs];
}

/** Return `image` and its fade to black, which takes `share` of the light where the mask is 0. */
export function fadePyramid(image, share) {
  const sharp = sharpLevel(image);
  return [sharp, { ...sharp, at: 1 / share, values: new Float32Array(sharp.values.length) }];
}

/** Write to `out` (ImageData) the image under `mask`, a byte per pixel; less `strength` leaves more of what is outside. */
export function compose(pyramid, mask, strength, out) {
  const { data, width, height } = out;
  const { lower, part } = depths(pyramid, strength);
  const { row, first, share } = rowOfAll(pyramid, width);
  for (let y = 0, p = 0; y < height; y += 1) {
    readRow(pyramid, y, row);
    for (let x = 0; x < width; x += 1, p += 1) {
      const m = mask[p];
      const k = lower[m] * width + x;
      const i = first[k];
      const j = first[k + width];
      const s = share[k];
      const r = share[k + width];
      const t = part[m];
      // Written out: half as slow as a loop over the channels.
      data[4 * p] = read(row, i, j, s, r, t);
      data[4 * p + 1] = read(row, i + 1, j + 1, s, r, t);
      data[4 * p + 2] = read(row, i + 2, j + 2, s, r, t);
      data[4 * p + 3] = 255;
    }
  }
}

/** Read a channel of two levels, `s` and `r` of the way to their next cells, `t` of the way from the one to the other. */
function read(row, i, j, s, r, t) {
  const weak = row[i] + s * (row[i + 3] - row[i]);
  return weak + t * (row[j] + r * (row[j + 3] - row[j]) - weak);
}

/** Return for each value of a mask the level above its depth, and how far it is to the next. */
function depths(pyramid, strength) {
  const lower = new Uint8Array(256);
  const part = new Float32Array(256);
  for (let m = 0; m < 256; m += 1) {
    const depth = strength * (1 - m / 255);
    const next = pyramid.findIndex(({ at }) => at > depth);
    const k = (next < 0 ? pyramid.length : next) - 1;
    lower[m] = Math.min(k, pyramid.length - 2);
    const [a, b] = [pyramid[lower[m]].at, pyramid[lower[m] + 1].at];
    part[m] = (depth - a) / (b - a);
  }
  return { lower, part };
}

/** Return room for a row of pixels of all levels, one after the other, and where in it they are read at each x. */
function rowOfAll(pyramid, width) {
  const first = new Int32Array(pyramid.length * width);
  const share = new Float32Array(pyramid.length * width);
  let size = 0;
  pyramid.forEach(({ x }, k) => {
    first.set(x.first.map((cell) => size + 3 * cell), k * width);
    share.set(x.share, k * width);
    size += 3 * x.count + 3;
  });
  return { row: new Float32Array(size), first, share };
}

/** Read all levels at a row of pixels, between their rows of cells. */
function readRow(pyramid, at, row) {
  let to = 0;
  for (const { x, y, values } of pyramid) {
    const length = 3 * x.count;
    const above = length * y.first[at];
    const below = y.count > 1 ? above + length : above;
    const part = y.share[at];
    for (let i = 0; i < length; i += 1) {
      row[to + i] = values[above + i] + part * (values[below + i] - values[above + i]);
    }
    to += length + 3;
  }
}

function sharpLevel({ width, height, data }) {
  const values = new Float32Array(3 * width * height);
  for (let p = 0, i = 0; i < values.length; p += 4, i += 3) for (let c = 0; c < 3; c += 1) values[i + c] = data[p + c];
  return { at: 0, x: axis(width, 0, width, 0), y: axis(height, 0, height, 0), values };
}

function blur({ values, x: { count: width } }, at, x, y) {
  const sums = gather(gather(values, y, 1, 3 * width), x, y.count, 3);
  return { at, x, y, values: smooth(smooth(sums, x, y.count, 3), y, 1, 3 * x.count) };
}

/** Sum up the pixels in an axis' cells; values lie as `outer` x pixels x `inner`. */
function gather(values, { cell, count }, outer, inner) {
  const sums = new Float32Array(outer * count * inner);
  for (let o = 0, from = 0; o < outer; o += 1) {
    for (let p = 0; p < cell.length; p += 1) {
      const to = (o * count + cell[p]) * inner;
      for (let i = 0; i < inner; i += 1, from += 1) sums[to + i] += values[from];
    }
  }
  return sums;
}

/** Turn the sums in an axis' cells into Gaussian means; sums lie as `outer` x cells x `inner`. */
function smooth(sums, { count, kernel }, outer, inner) {
  const means = new Float32Array(sums.length);
  const kernels = Array.from({ length: count }, (_, k) => kernel(k));
  for (let o = 0, to = 0; o < outer; o += 1) {
    for (const { from, weights } of kernels) {
      const start = (o * count + from) * inner;
      for (let i = start; i < start + inner; i += 3, to += 3) {
        let red = 0;
        let green = 0;
        let blue = 0;
        for (let t = 0, source = i; t < weights.length; t += 1, source += inner) {
          red += weights[t] * sums[source];
          green += weights[t] * sums[source + 1];
          blue += weights[t] * sums[source + 2];
        }
        means[to] = red;
        means[to + 1] = green;
        means[to + 2] = blue;
      }
    }
  }
  return means;
}

/** Return an axis of an image, cut into cells so that [start, end) is some of them: where its pixels lie, and read between middles. */
function axis(size, start, end, sigma) {
  const side = end - start;
  const length = side / Math.min(side, Math.max(16, Math.round((FINENESS * side) / sigma)));
  const origin = start - Math.ceil(start / length) * length;
  const count = Math.ceil((size - origin) / length - 1e-6);
  const [cell, first, pixels] = [new Int32Array(size), new Int32Array(size), new Int32Array(count)];
  const [share, middle] = [new Float32Array(size), new Float32Array(count)];
  for (let p = 0; p < size; p += 1) {
    const place = (p + 0.5 - origin) / length;
    const k = Math.floor(place);
    cell[p] = k;
    pixels[k] += 1;
    middle[k] += (p + 0.5 - middle[k]) / pixels[k];
    first[p] = Math.max(0, Math.min(count - 2, Math.floor(place - 0.5)));
    share[p] = count > 1 ? place - 0.5 - first[p] : 0; // past the outermost middles it goes straight on
  }

  /** Return the weights of the cells around one of them: a Gaussian, normalised over the image so that borders don't darken. */
  function kernel(k) {
    const here = origin + (k + 0.5) * length;
    // From the frame's border on outwards, what is outside comes in bit by bit: no seam.
    const outside = Math.min(1, Math.max(0, (Math.max(start - here, here - end) - length) / (2 * sigma)) ** 2);
    const variance = sigma ** 2 - (length ** 2 - 1) / 4; // cells, and reading between them, blur too
    const reach = Math.ceil(Math.max(1, (REACH * sigma) / length));
    const from = Math.max(0, k - reach);
    const weights = middle.slice(from, k + reach + 1).map((at) =>
      Math.exp(-((at - here) ** 2) / (2 * variance)) * (at > start && at < end ? 1 : outside)
    );
    const total = weights.reduce((sum, weight, t) => sum + weight * pixels[from + t], 0);
    return { from, weights: weights.map((weight) => weight / total) };
  }

  return { count, cell, first, share, kernel };
}
