"""Overhead of the service per job: until its worker begins, and until watchers learn of its end."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from statistics import median

import httpx

from .posting import FINAL, JsonObject, Poster, no_reuse, picture, tiny_params
from .report import Line, Report
from .stack import Stack

MOST_MS = 100.0
ITERATIONS = 100  # long enough to be watched from before its end
WARM_UP = 3


def measure_overhead(result: Report, line: Line, *, jobs: int) -> None:
    """Post jobs one at a time and watch each one's events."""
    begun, told = [], []
    with ExitStack() as running:
        stack = running.enter_context(Stack())
        client = running.enter_context(stack.client())
        poster = Poster([client], tiny_params(iterations=ITERATIONS), no_reuse(client))
        for k in range(-WARM_UP, jobs):
            line.show("jobs one at a time", max(0, k), jobs)
            posted = time.time()
            job, seen = _watch(client, poster.post(picture(k)))
            if k >= 0:
                begun.append(1000 * (_seconds(job["started_at"]) - posted))
                told.append(1000 * (seen - _seconds(job["finished_at"])))
    for what, ms in (("from POST to the worker's start", begun), ("from the worker's end to the event", told)):
        result.tell(f"{what}: ms, most", round(max(ms), 1))
        result.at_most(f"{what}: ms, median of {jobs}", round(median(ms), 1), MOST_MS)


def _watch(client: httpx.Client, job_id: str) -> tuple[JsonObject, float]:
    """Return the finished job, and when its last event came."""
    with client.stream("GET", f"/v1/jobs/{job_id}/events") as answer:
        for job in _states(answer.iter_lines()):
            if job["status"] in FINAL:
                seen = time.time()
                assert job["status"] == "succeeded", job["error"]
                return job, seen
    raise RuntimeError(f"the events of {job_id} ended before the job")


def _states(lines: Iterator[str]) -> Iterator[JsonObject]:
    event = ""
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "event":
            event = value
        elif name == "data" and event == "state":
            yield json.loads(value)


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
