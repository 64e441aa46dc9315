// Numbers, times and findings in words.

export const percent = (share) => `${Number((100 * share).toPrecision(3))}%`;
/** Return how far something is. */
export const done = (fraction) => `${Math.round(100 * fraction)}%`;
/** Return a probability as people write it: whole per cents, and a decimal where these would hide what is left. */
export function chance(probability) {
  if (probability < 0.001) return "<0.1%";
  if (probability > 0.999) return ">99.9%";
  const digits = probability < 0.01 || probability > 0.99 ? 1 : 0;
  return `${Number((100 * probability).toFixed(digits))}%`;
}
/** Return a probability in words that follow a score; nothing for a score that has none. */
export const inBrackets = (probability) => (typeof probability === "number" ? ` (${chance(probability)})` : "");
export const number = (value) => (value === null || value === undefined ? "–" : value.toFixed(2));

/** Return seconds in words. */
export function seconds(value) {
  if (value === null || value === undefined) return "";
  if (value < 90) return `${Math.max(1, Math.round(value))} s`;
  return `${Math.round(value / 60)} min`;
}

/** Return how long ago something was. */
export function ago(date) {
  const past = (Date.now() - new Date(date)) / 1000;
  if (past < 5) return "just now";
  if (past < 3600) return `${seconds(past)} ago`;
  return past < 86400 ? `${Math.round(past / 3600)} h ago` : new Date(date).toLocaleDateString();
}

/** Return a size of a mask: a share of the image, or a count of channels. */
export const size = (area) => (area < 1 ? percent(area) : `${area} ${area === 1 ? "channel" : "channels"}`);

/** Return the name of what a result explains. */
export const className = ({ target }) => target.label || `class ${target.index}`;
export const quoted = ({ target }) => (target.label ? `“${target.label}”` : `class ${target.index}`);

/** Return how little suffices: a share of the image, or a count of channels. */
export function needs({ optimal_area: best }) {
  return best === null || best === undefined ? "" : size(best);
}
