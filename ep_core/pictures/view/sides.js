// The two sides of a mask, kept and removed, and what the network says of each.

import { chance, number } from "./words.js";

/** What results call the sides. */
export const VARIANTS = { keep: "preserve", drop: "delete" };

/** Return a probability in words or, where there is none, the score, with `name` before it. */
export const amount = ({ probability, score }, name = "") =>
  typeof probability === "number" ? chance(probability) : `${name}${number(score)}`;
