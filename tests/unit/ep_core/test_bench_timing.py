"""Timing of a benchmark's sides."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import torch

from ep_core.bench.timing import WARM_UP, median_seconds


def test_sides_take_turns_and_the_median_after_the_warm_up_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    now, turns = 0.0, []
    seconds = {"quick": [9.0] * WARM_UP + [1.0, 3.0, 2.0], "slow": [9.0] * WARM_UP + [5.0, 5.0, 70.0]}

    def side(name: str) -> Callable[[], None]:
        def run() -> None:
            nonlocal now
            turns.append(name)
            now += seconds[name].pop(0)

        return run

    monkeypatch.setattr(time, "perf_counter", lambda: now)
    found = median_seconds({name: side(name) for name in list(seconds)}, rounds=3, device=torch.device("cpu"))
    assert found == {"quick": 2.0, "slow": 5.0}
    assert turns == ["quick", "slow"] * (WARM_UP + 3)
