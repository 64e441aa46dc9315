// Time to go, by how fast something has come along while it was watched.

import { done, seconds } from "./words.js";

const LEAST_S = 3; // watched for less, or come along by less, nothing is said
const LEAST = 0.01;

/** Return a function of a share in [0, 1] that is done, now, which returns the seconds to go; null while they are unknown. */
export function timeToGo(clock = () => performance.now() / 1000) {
  let first = null;
  return (share) => {
    first ||= { at: clock(), share };
    const [passed, come] = [clock() - first.at, share - first.share];
    return passed < LEAST_S || come < LEAST ? null : (passed / come) * (1 - share);
  };
}

/** Return how far something is, and the seconds to go (null: not known), in words. */
export const howFar = (fraction, left) => `${done(fraction)}${left === null ? "" : `, about ${seconds(left)} to go`}`;
