// Smooth masks (3.5) as the engine makes them: a small lattice of parameters, spread by a kernel, joined by a smooth maximum.

const RADIUS = 6; // samples farther than this don't matter (A.1)

/** Return what a sample does at a distance in lattice steps: exp(-max(0, z - 1)^2 / 4). */
export const kernel = (distance) => Math.exp(-(Math.max(0, distance - 1) ** 2) / 4);

/** Return a lattice of `cells` by `cells` parameters whose masks have `samples` pixels per cell and direction. */
export function lattice(cells, samples) {
  const side = cells * samples;
  const weights = kernelOnPixels(samples);
  const present = new Float64Array(side * side);
  for (let cell = 0; cell < cells * cells; cell += 1) each(cell, (pixel) => (present[pixel] += 1));

  /** Call `act` with each pixel within reach of a cell, and the kernel's weight there. */
  function each(cell, act) {
    const top = (Math.floor(cell / cells) - RADIUS) * samples;
    const left = ((cell % cells) - RADIUS) * samples;
    const length = (2 * RADIUS + 1) * samples;
    for (let y = Math.max(0, -top); y < length && top + y < side; y += 1) {
      for (let x = Math.max(0, -left); x < length && left + x < side; x += 1) {
        const weight = weights[y * length + x];
        if (weight > 0) act((top + y) * side + left + x, weight);
      }
    }
  }

  /**
   * Return the mask of `parameters`, one in [0, 1] per cell: sum f exp(f / T) / sum exp(f / T) of the weighted parameters f
   * in reach (eq. 7), where `sharpness` is 1 / T. Parameters of zero add exp(0) = 1 to the lower sum, which is counted beforehand.
   */
  function mask(parameters, sharpness) {
    const upper = new Float64Array(side * side);
    const lower = Float64Array.from(present);
    parameters.forEach((parameter, cell) => {
      if (parameter === 0) return;
      each(cell, (pixel, weight) => {
        const f = parameter * weight;
        const e = Math.exp(f * sharpness);
        upper[pixel] += f * e;
        lower[pixel] += e - 1;
      });
    });
    return upper.map((sum, pixel) => sum / lower[pixel]);
  }

  return { cells, samples, side, mask };
}

/** Return the kernel of a cell on the pixels around it, 0 beyond its radius: (2R + 1) `samples` to a side. */
function kernelOnPixels(samples) {
  const length = (2 * RADIUS + 1) * samples;
  const from = (pixel) => (pixel + 0.5) / samples - 0.5 - RADIUS;
  const distance = (k) => Math.hypot(from(Math.floor(k / length)), from(k % length));
  return Float64Array.from({ length: length ** 2 }, (_, k) => (distance(k) > RADIUS ? 0 : kernel(distance(k))));
}
