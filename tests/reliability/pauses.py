"""`make pauses`: workers are paused (SIGSTOP) amid jobs and come back; no job may be lost, fail or run wrong."""

from __future__ import annotations

import random
import signal
import socket
import sys
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import httpx
import typer

from worker.broker.contract import JobRecord, JobState
from worker.broker.store import JobStore

from . import report
from .chaos import tell_results
from .posting import FINAL, JsonObject, Poster, no_reuse, picture, tiny_params
from .stack import Process, Stack

LOOK_S = 0.02
NEARLY_DONE = 0.97
"""Progress from which a pause falls on the last writes: the files, the record, what RQ knows."""
IMAGES = 10
MOST_PAUSES = 3
LIMIT_S = 60.0  # for all jobs to end after the last pause


@dataclass(frozen=True)
class Options:
    """Options of the command line."""

    pauses: int
    pause_s: float
    workers: int
    iterations: int
    seed: int
    settings: dict[str, str]

    @property
    def limit_s(self) -> float:
        """Seconds after which a run that isn't done has failed."""
        return 240 + self.pauses * (self.pause_s + 10)


@dataclass
class Jobs:
    """The jobs that are posted: enough that all workers have one, and one waits."""

    poster: Poster
    store: JobStore
    wanted: int
    image_of: dict[str, int] = field(default_factory=dict)
    paused: Counter[str] = field(default_factory=Counter)
    """Pauses of a worker while it ran a job, by the job."""
    ended: dict[str, JsonObject] = field(default_factory=dict)

    def top_up(self) -> None:
        """Post as many as are missing."""
        for job_id in [job_id for job_id in self.image_of if job_id not in self.ended]:
            record = self.store.get(job_id)
            if record is not None and record.state.is_final:
                self.ended[job_id] = self.poster.ask("GET", f"/v1/jobs/{job_id}").json()
        while len(self.image_of) - len(self.ended) < self.wanted:
            image = len(self.image_of) % IMAGES
            self.image_of[self.poster.post(picture(image))] = image

    def running(self) -> list[JobRecord]:
        """Return the records of those that run."""
        records = (self.store.get(job_id) for job_id in self.image_of if job_id not in self.ended)
        return [record for record in records if record is not None and record.state is JobState.RUNNING]

    def wait(self) -> None:
        """Wait until all have ended, or the time is up."""
        self.wanted, deadline = 0, time.monotonic() + LIMIT_S
        while len(self.ended) < len(self.image_of) and time.monotonic() < deadline:
            self.top_up()
            time.sleep(0.2)


def measure(result: report.Report, line: report.Line, options: Options) -> None:
    """Pause workers while jobs run, and compare the results."""
    with ExitStack() as running:
        stack = running.enter_context(Stack(workers=options.workers, **options.settings))
        client: httpx.Client = running.enter_context(stack.client())
        poster = Poster([client], tiny_params(iterations=options.iterations), no_reuse(client))
        jobs = Jobs(poster, JobStore(stack.connect(), retention_s=1), wanted=options.workers + 1)
        chance, late = random.Random(options.seed), 0
        for pause in range(options.pauses):
            at_the_end = pause % 2 == 1
            worker, job_id = _worker_to_pause(stack, jobs, chance, at_the_end=at_the_end)
            late += at_the_end
            jobs.paused[job_id] += 1
            _pause(worker, options.pause_s)
            line.show(f"{len(jobs.image_of)} posted", pause + 1, options.pauses)
        jobs.wait()
        result.tell("pauses", options.pauses)
        result.tell("of these, on a job's last writes", late)
        _tell(result, jobs)
        tell_results(result, jobs.image_of, jobs.ended, poster)


def _worker_to_pause(stack: Stack, jobs: Jobs, chance: random.Random, *, at_the_end: bool) -> tuple[Process, str]:
    """Wait for a job that is as far as wanted, and return the worker that runs it, and the job's id.

    A job that was paused `MOST_PAUSES` times is spared: its attempts are used up by that, which is as it should be.
    """
    by_name = {f"{socket.gethostname()}.{worker.pid}": worker for worker in stack.workers}
    while True:
        jobs.top_up()
        running = [job for job in jobs.running() if job.worker in by_name and job.progress is not None]
        ready = [
            job
            for job in running
            if (job.progress.fraction >= NEARLY_DONE) == at_the_end and jobs.paused[job.id] < MOST_PAUSES
        ]
        if ready:
            chosen = chance.choice(ready)
            return by_name[str(chosen.worker)], chosen.id
        time.sleep(LOOK_S)


def _pause(worker: Process, seconds: float) -> None:
    worker.send(signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        worker.send(signal.SIGCONT)


def _tell(result: report.Report, jobs: Jobs) -> None:
    states = Counter(job["status"] for job in jobs.ended.values())
    attempts = Counter(job["attempt"] for job in jobs.ended.values())
    result.tell("jobs by attempts", ", ".join(f"{n}: {count}" for n, count in sorted(attempts.items())))
    result.equals("jobs that have ended", len(jobs.ended), len(jobs.image_of))
    result.equals("jobs succeeded", states["succeeded"], len(jobs.image_of))
    unexplained = [job["id"] for job in jobs.ended.values() if job["attempt"] > 1 + jobs.paused[job["id"]]]
    result.equals("jobs in more attempts than their pauses explain", len(unexplained), 0)
    for job in jobs.ended.values():
        assert job["status"] in FINAL
        if job["status"] != "succeeded":
            result.lines.append(f"{job['id']} {job['status']}, attempt {job['attempt']}: {job['error']}")


def main(
    pauses: Annotated[int, typer.Option(help="How many.")] = 200,
    pause_s: Annotated[float, typer.Option(help="Seconds that a worker is paused: longer than its lease.")] = 4.0,
    workers: Annotated[int, typer.Option(min=2, help="Worker processes.")] = 2,
    iterations: Annotated[int, typer.Option(help="Of each job; 1000 take some 2 seconds.")] = 1000,
    seed: Annotated[int, typer.Option(help="Draws the workers that are paused.")] = 0,
    setting: Annotated[list[str] | None, typer.Option(help="More settings; by default EP_HEARTBEAT_S=0.4.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write what was measured, as JSON.")] = None,
) -> None:
    """Pause workers in the middle of jobs, half of the times on a job's last writes."""
    settings = dict(text.split("=", 1) for text in setting or ["EP_HEARTBEAT_S=0.4"])
    options = Options(pauses, pause_s, workers, iterations, seed, settings)
    title = f"{pauses} pauses of {pause_s:g} s, {workers} workers"
    sys.exit(report.run(title, lambda r, line: measure(r, line, options), limit_s=options.limit_s, out=out))


if __name__ == "__main__":
    typer.run(main)
