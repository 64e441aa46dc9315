"""Time until a deleted job of the real default network stops and makes room."""

from __future__ import annotations

import random
import time
from contextlib import ExitStack
from datetime import datetime
from statistics import median

from .posting import FINAL, JsonObject, Poster, no_reuse
from .report import Line, Report
from .stack import SAMPLES, Stack, wait_until

MOST_S = 1.0
ITERATIONS = 5000
START_S = 60.0
PHOTOGRAPH = SAMPLES / "black_bear.jpg"


def measure_cancel(result: Report, line: Line, *, jobs: int) -> None:
    """Delete one running job after the other, at random moments; each time another one waits for the worker."""
    chance, waits = random.Random(0), []
    with ExitStack() as running:
        stack = running.enter_context(Stack(EP_PRELOAD="mobilenet_v2"))
        client = running.enter_context(stack.client())
        poster = Poster([client], {"model": "mobilenet_v2", "iterations": ITERATIONS}, no_reuse(client))
        photograph = PHOTOGRAPH.read_bytes()
        runs = poster.post(photograph)
        for k in range(jobs):
            line.show("jobs deleted", k, jobs)
            next_ = poster.post(photograph)
            _wait_running(poster, runs, iterating=True)
            time.sleep(chance.uniform(0.0, 1.0))
            deleted = time.time()
            poster.ask("DELETE", f"/v1/jobs/{runs}")
            started = _wait_running(poster, next_)["started_at"]
            waits.append(datetime.fromisoformat(started).timestamp() - deleted)
            runs = next_
    result.tell("from DELETE to the next job's start: s, most", round(max(waits), 2))
    result.at_most(f"from DELETE to the next job's start: s, median of {jobs}", round(median(waits), 2), MOST_S)


def _wait_running(poster: Poster, job_id: str, *, iterating: bool = False) -> JsonObject:
    def look() -> JsonObject | None:
        job: JsonObject = poster.ask("GET", f"/v1/jobs/{job_id}").json()
        if job["status"] in FINAL:
            raise RuntimeError(f"a job ended that should run on: {job}")
        return job if job["status"] == "running" and (job["progress"] or not iterating) else None

    job = wait_until(look, within_s=START_S, every_s=0.02)
    if job is None:
        raise RuntimeError(f"job {job_id} didn't start within {START_S:.0f} s")
    return job
