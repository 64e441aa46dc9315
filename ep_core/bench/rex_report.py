"""A comparison with ReX, in lines for the terminal: ReX's figure first, then ours."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from .rex import Comparison


def in_words(name: str, one: Comparison) -> list[str]:
    """Return the lines of a photograph.

    Args:
        name: its file's.
        one: what was found.
    """
    scores = "  ".join(f"{pair.area:g}: {pair.theirs:.2f} {pair.ours:.2f}" for pair in one.pairs)
    part = one.sufficient
    return [
        f"{name} {one.label}  {scores}",
        f"  its explanation ({part.area:.1%} of the image): {part.theirs:.2f} {part.ours:.2f}; by the mean colour "
        f"{part.theirs_there:.2f} {part.ours_there:.2f}",
        f"  passes {one.rex_cost:.0f} {one.cost:.0f}, seconds {one.rex_seconds:.0f} {one.seconds:.0f}",
    ]


def means(found: Sequence[Comparison], areas: Sequence[float]) -> list[str]:
    """Return the lines of all photographs together.

    Args:
        found: at least one.
        areas: of the pairs, in their order.
    """
    lines = []
    for k, area in enumerate(areas):
        pairs = [one.pairs[k] for one in found]
        higher = sum(pair.ours >= pair.theirs for pair in pairs)
        both = f"{fmean(pair.theirs for pair in pairs):.2f} {fmean(pair.ours for pair in pairs):.2f}"
        lines.append(f"  {area:g}: {both}, ours at least its in {higher} of {len(found)}")
    parts = [one.sufficient for one in found]
    blur = f"{fmean(part.theirs for part in parts):.2f} {fmean(part.ours for part in parts):.2f}"
    colour = f"{fmean(part.theirs_there for part in parts):.2f} {fmean(part.ours_there for part in parts):.2f}"
    passes = f"{fmean(one.rex_cost for one in found):.0f} {fmean(one.cost for one in found):.0f}"
    seconds = f"{fmean(one.rex_seconds for one in found):.0f} {fmean(one.seconds for one in found):.0f}"
    return [
        *lines,
        f"  at its explanation's area, by blur: {blur}; by the mean colour: {colour}",
        f"  passes: {passes}; seconds: {seconds}",
    ]
