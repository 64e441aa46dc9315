// What a* means, in a sentence: as the rule of the threshold has it (`scores.threshold_rule`). `ep_core/cli/verdicts.py` says the same.

import { el } from "./dom.js";
import { whole } from "./seen.js";
import { percent, quoted } from "./words.js";

const NONE = "none"; // the rule where there is no threshold
const BETWEEN = "between"; // where a share of the score means nothing, since it isn't positive

/** Return the words for a share of the image, or of what the network sees of it. */
export const shareOfImage = (result) => ({
  part: result.optimal_area !== null && [el("b", {}, percent(result.optimal_area)), ` of ${whole(result)}`],
  plural: false,
  nothing: "None of these areas",
  only: result.curve?.length === 1 && [el("b", {}, percent(result.curve[0].area)), ` of ${whole(result)}`],
  perturbed: "in the fully perturbed image",
});

/** Return the words for a count of a layer's channels. */
export const countOfChannels = ({ optimal_area: count, layer }) => ({
  part: count !== null && [el("b", {}, `${count} of ${layer.channels}`), ` channels of ${layer.name}`],
  plural: count !== null,
  nothing: "None of these counts of channels",
  only: false,
  perturbed: `without the channels of ${layer.name}`,
});

/** Return what a result's a* means, as nodes of a sentence without its full stop; `words` are of one of the above. */
export function meaning(result, words) {
  const rule = result.scores.threshold_rule ?? null; // null in results from before it was told
  if (rule === NONE) {
    return ["There is no threshold: ", quoted(result), ` scores no higher in the whole image than ${words.perturbed}`];
  }
  return result.params.variant === "delete" ? deletion(result, rule, words) : preservation(result, rule, words);
}

function deletion(result, rule, { part, plural, nothing, only, perturbed }) {
  const tau = result.params.threshold;
  const isNot = !part && only; // of a single area, that is said of it
  const removed = [...(part || only || [nothing]), " removed "];
  const does = (word) => (isNot ? `doesn’t ${verb(word, true)}` : verb(word, plural));
  // Before the rule was told, tau was left out of account.
  if (tau === 1 || rule === null) return [...removed, `${does("destroys")} the score of `, quoted(result)];
  return [
    ...removed,
    `${does("lowers")} the score of `,
    quoted(result),
    ` by ${percent(tau)} of the way to what it is ${perturbed}`,
  ];
}

function preservation(result, rule, { part, plural, nothing, only }) {
  const tau = result.params.threshold;
  const level = tau === 1 ? "" : `${percent(tau)} of the ${rule === BETWEEN ? "way up to the " : ""}score of `;
  const does = !part && only ? `doesn’t ${verb("suffices", true)}` : verb("suffices", plural);
  const reached = [...(part || only || [nothing]), ` ${does} for `, level, quoted(result)];
  return part ? reached : [...reached, ": the score stays below the threshold"];
}

const verb = (ofOne, plural) => (plural ? ofOne.slice(0, -1) : ofOne);
