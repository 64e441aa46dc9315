"""Statistics of all workers together, counted in Redis, so that any API process can read them. Imports no torch.

One hash; a field is ``{counter}:{label}``, of a histogram ``{histogram}:{label}:{bucket}``.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf
from typing import cast

from redis import Redis
from redis.client import Pipeline

from .contract import JobState

_KEY = "ep:stats"

RUN_BUCKETS_S = (1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1280.0, 3600.0)
WAIT_BUCKETS_S = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)


class Counter(StrEnum):
    """Counter, each with its label."""

    FINISHED = "finished"  # jobs, by task/state
    ITERATIONS = "iterations"  # engine steps of succeeded jobs, by task
    MODEL_LOADS = "model_loads"  # by model
    SHARED_STEPS = "shared_steps"  # of workers that run several jobs at once, by what is counted
    CPU_MS = "cpu_ms"  # milliseconds of worker processes, by what they are spent on
    SHARES = "shares"  # of devices that settled jobs had: `jobs`, and `ms` of all of them together
    DELIVERIES = "deliveries"  # attempts to deliver webhooks, by outcome
    RUN_S = "run_s"  # a histogram of seconds, by task
    WAIT_S = "wait_s"  # a histogram of seconds, by task


DELIVERY_OUTCOMES = ("delivered", "retried", "failed")  # taken; to be tried again; given up

BUCKETS_S = {Counter.RUN_S: RUN_BUCKETS_S, Counter.WAIT_S: WAIT_BUCKETS_S}


@dataclass
class Histogram:
    """Histogram: the number of values up to each bound, and their sum."""

    bounds: tuple[float, ...]
    counts: list[int] = field(default_factory=list)
    """One more than bounds: the last is of values beyond all of them."""
    total: float = 0.0

    def __post_init__(self) -> None:
        self.counts = self.counts or [0] * (len(self.bounds) + 1)

    @property
    def count(self) -> int:
        """Number of values."""
        return sum(self.counts)

    @property
    def cumulative(self) -> list[tuple[float, int]]:
        """For each bound, infinity the last, how many values were not above it."""
        return [(bound, sum(self.counts[: k + 1])) for k, bound in enumerate((*self.bounds, inf))]


@dataclass
class Counted:
    """All that was counted, by label."""

    counters: dict[Counter, dict[str, int]]
    histograms: dict[Counter, dict[str, Histogram]]


class Stats:
    """Counts in Redis; every method costs one call."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def ran(
        self,
        task: str,
        state: JobState,
        *,
        waited_s: float,
        ran_s: float,
        share_s: float | None = None,
        iterations: int = 0,
    ) -> None:
        """Count a job that a worker has settled.

        Args:
            task: the job's.
            state: what came of it.
            waited_s: seconds from its posting to the start of its last attempt.
            ran_s: seconds that this attempt took.
            share_s: its share of the device meanwhile; None: all of them.
            iterations: of the engine.
        """
        with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.hincrby(_KEY, f"{Counter.FINISHED}:{task}/{state}", 1)
            pipeline.hincrby(_KEY, f"{Counter.ITERATIONS}:{task}", iterations)
            pipeline.hincrby(_KEY, f"{Counter.SHARES}:jobs", 1)
            pipeline.hincrby(_KEY, f"{Counter.SHARES}:ms", round(1000 * (ran_s if share_s is None else share_s)))
            _observe(pipeline, Counter.WAIT_S, task, waited_s)
            _observe(pipeline, Counter.RUN_S, task, ran_s)
            pipeline.execute()

    def lost(self, task: str) -> None:
        """Count a job that failed because its workers were lost."""
        self._redis.hincrby(_KEY, f"{Counter.FINISHED}:{task}/{JobState.FAILED}", 1)

    def loaded(self, model: str) -> None:
        """Count a model that was loaded."""
        self._redis.hincrby(_KEY, f"{Counter.MODEL_LOADS}:{model}", 1)

    def stepped(self, *, batches: int, lanes: int, rows: int, seconds: float) -> None:
        """Count steps of a worker that runs several jobs at once.

        Args:
            batches: of masks.
            lanes: masks in them, all together.
            rows: how many masks there could have been.
            seconds: that the batches took.
        """
        counts = {"batches": batches, "lanes": lanes, "rows": rows, "ms": round(1000 * seconds)}
        with self._redis.pipeline(transaction=False) as pipeline:
            for name, count in counts.items():
                pipeline.hincrby(_KEY, f"{Counter.SHARED_STEPS}:{name}", count)
            pipeline.execute()

    def spent(self, seconds: Mapping[str, float]) -> None:
        """Count CPU seconds of a worker process, by what they were spent on."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for what, value in seconds.items():
                pipeline.hincrby(_KEY, f"{Counter.CPU_MS}:{what}", round(1000 * value))
            pipeline.execute()

    def delivery(self, outcome: str) -> None:
        """Count an attempt to deliver a webhook, by one of `DELIVERY_OUTCOMES`."""
        self._redis.hincrby(_KEY, f"{Counter.DELIVERIES}:{outcome}", 1)

    def read(self) -> Counted:
        """Return the counts so far; counters of other versions are left out."""
        fields = cast("dict[bytes, bytes]", self._redis.hgetall(_KEY))
        return _counted({name.decode(): value for name, value in fields.items()})


def _observe(pipeline: Pipeline, name: Counter, label: str, seconds: float) -> None:
    pipeline.hincrby(_KEY, f"{name}:{label}:{bisect_left(BUCKETS_S[name], seconds)}", 1)
    pipeline.hincrbyfloat(_KEY, f"{name}:{label}:sum", round(seconds, 3))


def _counted(fields: Mapping[str, bytes]) -> Counted:
    found = Counted(defaultdict(dict), defaultdict(dict))
    for field_name, value in fields.items():
        name, _, label = field_name.partition(":")
        with suppress(ValueError, IndexError):  # of a newer version: a counter, or a bucket, that this one hasn't
            _take(found, Counter(name), label, value)
    return found


def _take(found: Counted, counter: Counter, label: str, value: bytes) -> None:
    if counter not in BUCKETS_S:
        found.counters[counter][label] = int(value)
        return
    label, _, bucket = label.rpartition(":")
    histogram = found.histograms[counter].setdefault(label, Histogram(BUCKETS_S[counter]))
    if bucket == "sum":
        histogram.total = float(value)
    else:
        histogram.counts[int(bucket)] = int(value)
