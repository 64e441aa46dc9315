"""CPU seconds of a worker by what they are spent on."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisAway

from ep_core.optimiser.work import Work
from worker.process.meter import Meter, Part

BUSY_S = 0.02


class Told:
    """Statistics that add up what they are told, while they are there."""

    def __init__(self) -> None:
        self.is_away = False
        self.cpu_s: Counter[str] = Counter()
        self.steps: Counter[str] = Counter()

    def spent(self, seconds: dict[str, float]) -> None:
        if self.is_away:
            raise RedisAway
        self.cpu_s.update(seconds)

    def stepped(self, **counts: Any) -> None:
        self.steps.update(counts)


def spend(seconds: float = BUSY_S) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_parts_steps_and_the_rest_are_all_that_the_process_spends() -> None:
    told, meter, began = Told(), Meter(), time.process_time()
    with meter.of(Part.DECODE):
        spend()
    assert list(meter.each(Part.PICTURES, (spend(k * BUSY_S) or k for k in (1, 2)))) == [1, 2]
    spend(2 * BUSY_S)
    work = Work(batches=3, lanes=18, rows=48, wall_s=0.5, cpu_s=BUSY_S)  # half of these
    meter.tell(told, work)
    assert told.cpu_s[Part.DECODE] == pytest.approx(BUSY_S, abs=BUSY_S / 4)
    assert told.cpu_s[Part.PICTURES] == pytest.approx(3 * BUSY_S, abs=BUSY_S / 2)
    assert told.cpu_s[Part.STEPS] == BUSY_S
    assert told.cpu_s.total() == pytest.approx(time.process_time() - began, abs=BUSY_S / 2)
    assert not told.steps  # those of jobs one by one


def test_what_could_not_be_told_is_told_later_once() -> None:
    told, meter = Told(), Meter(shared=True)
    told.is_away = True
    meter.tell(told, Work(batches=1, lanes=6, rows=16, wall_s=0.1, cpu_s=0.1))
    told.is_away = False
    for _ in range(2):
        meter.tell(told, Work(batches=3, lanes=18, rows=48, wall_s=0.3, cpu_s=0.2))
    assert told.steps == {"batches": 3, "lanes": 18, "rows": 48, "seconds": 0.3}
    assert told.cpu_s[Part.STEPS] == pytest.approx(0.2)
