"""Timing of several sides of a benchmark, which take turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median

import torch

WARM_UP = 3
"""Rounds before those that count."""


def median_seconds(sides: Mapping[str, Callable[[], object]], *, rounds: int, device: torch.device) -> dict[str, float]:
    """Return the median seconds of each side; the sides take turns, so that a slow moment hits all of them.

    Args:
        sides: what is timed, by name.
        rounds: turns of each side that are timed, after three to warm up.
        device: where they compute: a GPU has finished before the clock stops.
    """
    times = [{name: _timed(side, device) for name, side in sides.items()} for _ in range(WARM_UP + rounds)]
    return {name: median(one[name] for one in times[WARM_UP:]) for name in sides}


def _timed(side: Callable[[], object], device: torch.device) -> float:
    started = time.perf_counter()
    side()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started
