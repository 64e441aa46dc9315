"""`make soak`: thousands of small jobs, one after the other; no part of the service may grow, and nothing may stay."""

from __future__ import annotations

import re
import sys
import time
from collections import Counter, deque
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Annotated

import typer
from redis import Redis

from . import report
from .posting import GaveUp, JsonObject, Poster, no_reuse, picture, tiny_params
from .stack import Stack, wait_until

AHEAD = 4  # jobs that wait, so that the worker never does
PICTURES = 100
EARLY = (0.1, 0.3)  # of the jobs: when all has warmed up and the first results have gone
LATE = (0.75, 1.0)
MOST_SHARE, MOST_MB = 0.05, 10.0  # may be the growth in between, whichever is more
TIDY_S = 20.0  # after the retention
MB = 1e6
_ID = re.compile(rb"[0-9a-f]{32}")
_SHARED = (b"ep:models", b"ep:workers", b"rq:worker")  # host names may look like ids
_NAMES = re.compile(r"[0-9a-f]{32,64}|(?<=:)[^:]+\.[0-9]+$")  # jobs and hashes; workers


@dataclass(frozen=True)
class Sample:
    """Memory of each part after so many jobs, in MB."""

    jobs: int
    redis: float
    api: float
    worker: float


class Soak:
    """Sends jobs through the stack and samples it on the way."""

    def __init__(self, stack: Stack, poster: Poster, redis: Redis, line: report.Line) -> None:
        self._stack = stack
        self._poster = poster
        self._redis = redis
        self._line = line
        self.errors: list[str] = []
        self.samples: list[Sample] = []

    def go(self, jobs: int, *, every: int) -> None:
        """Send the jobs through, a few ahead, and fetch the result of each."""
        waiting: deque[str] = deque()
        for number in range(jobs + AHEAD):
            if number < jobs:
                waiting.append(self._poster.post(picture(number % PICTURES)))
            if number >= AHEAD:
                self._fetch(waiting.popleft())
                self._note(number - AHEAD + 1, jobs, every)

    def _fetch(self, job_id: str) -> None:
        try:
            job = self._poster.finish(job_id)
            for path in _parts(job):
                self._poster.ask("GET", path)
            if job["status"] != "succeeded":
                self.errors.append(f"{job_id}: {job['status']} {job['error']}")
        except GaveUp as error:
            self.errors.append(str(error))

    def _note(self, done: int, jobs: int, every: int) -> None:
        self._line.show("jobs", done, jobs)
        if done % every == 0:
            self._redis.memory_purge()
            used = self._redis.info("memory")["used_memory"]
            sizes = (used, self._stack.apis[0].rss_bytes(), self._stack.workers[0].rss_bytes())
            self.samples.append(Sample(done, *(size / MB for size in sizes)))


def measure(result: report.Report, line: report.Line, *, jobs: int, every: int, retention_s: int) -> None:
    """Send the jobs through, compare early samples with late ones, and look what stays."""
    with ExitStack() as running:
        stack = running.enter_context(Stack(EP_RETENTION_S=retention_s))
        client, redis = running.enter_context(stack.client()), running.enter_context(stack.connect())
        poster = Poster([client], tiny_params(iterations=2), no_reuse(client))
        soak, started = Soak(stack, poster, redis, line), time.monotonic()
        try:
            soak.go(jobs, every=every)
        finally:
            result.tell("jobs per second", round(jobs / (time.monotonic() - started), 1))
            result.equals("errors", len(soak.errors) + sum(poster.refused.values()), 0)
            result.lines += soak.errors[:20] + [f"sent again: {dict(poster.refused)}"] * bool(poster.refused)
            _tell_growth(result, soak.samples, jobs)
        line.show("waiting for the retention to end")
        _tell_left(result, redis, retention_s)


def _tell_growth(result: report.Report, samples: list[Sample], jobs: int) -> None:
    for part in ("redis", "api", "worker"):
        early, late = (
            [getattr(s, part) for s in samples if low * jobs < s.jobs <= high * jobs] for low, high in (EARLY, LATE)
        )
        if not early or not late:
            result.check(f"{part}: growth", "not enough samples", "two spans to compare", met=False)
            continue
        before, after = mean(early), mean(late)
        most = max(MOST_SHARE * before, MOST_MB)
        result.tell(f"{part}: MB, early and late", f"{before:.1f}, {after:.1f}")
        result.at_most(f"{part}: growth in MB", round(after - before, 2), round(most, 1))
    result.lines += [f"after {s.jobs}: redis {s.redis:.1f}, api {s.api:.1f}, worker {s.worker:.1f} MB" for s in samples]


def _tell_left(result: report.Report, redis: Redis, retention_s: int) -> None:
    """Report what Redis still holds when all jobs should be forgotten."""
    wait_until(lambda: not _of_jobs(redis), within_s=retention_s + TIDY_S, every_s=1.0)
    kinds = Counter(_NAMES.sub("*", key.decode()) for key in redis.scan_iter())
    result.equals("keys of jobs left", len(_of_jobs(redis)), 0)
    result.lines += [f"left in Redis: {kind} ({count})" for kind, count in sorted(kinds.items())]


def _of_jobs(redis: Redis) -> list[bytes]:
    """Return the keys that a job has, or that list jobs."""
    return [key for key in redis.scan_iter() if _ID.search(key) and not key.startswith(_SHARED)] + [
        key for pattern in ("ep:jobs*", "ep:expiring*") for key in redis.scan_iter(pattern)
    ]


def _parts(job: JsonObject) -> list[str]:
    """Return the addresses that a client fetches of a finished job."""
    links = job["links"]
    found = [links["result"], links["saliency"], links["bundle"], *links["masks"].values()]
    return [path for path in found if path is not None]


def main(
    jobs: Annotated[int, typer.Option(help="Jobs to send through.")] = 2000,
    every: Annotated[int, typer.Option(help="Jobs between two samples.")] = 50,
    retention: Annotated[int, typer.Option(help="Seconds that finished jobs are kept.")] = 20,
    out: Annotated[Path | None, typer.Option(help="Where to write what was measured, as JSON.")] = None,
) -> None:
    """Send many small jobs through one API process and one worker, and watch their memory."""

    def body(result: report.Report, line: report.Line) -> None:
        measure(result, line, jobs=jobs, every=every, retention_s=retention)

    sys.exit(report.run(f"{jobs} small jobs", body, limit_s=180 + jobs * 1.5, out=out))


if __name__ == "__main__":
    typer.run(main)
