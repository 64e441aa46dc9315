"""`make memory`: jobs of all tasks, networks and formats, one after the other; a worker may not grow with them."""

from __future__ import annotations

import re
import sys
import time
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Annotated

import httpx
import typer

from . import report
from .mixed_jobs import MIXED_MODELS, NETWORKS, ROUND, MixedJob, mixed_jobs
from .posting import GaveUp, Poster, no_reuse
from .stack import Process, Stack

AHEAD = 2  # jobs that wait
JOBS_PER_QUESTION = 5
MOST_GROWTH = 1.1  # of the peak, times that of the first round
MB = 1e6


@dataclass(frozen=True)
class Sample:
    """A worker's memory after so many jobs, in MB."""

    jobs: int
    now: float
    peak: float
    """Of the jobs since the last sample."""


class Mixed:
    """Sends the jobs through a stack, and samples its worker's memory after each round."""

    def __init__(self, poster: Poster, worker: Process, line: report.Line) -> None:
        self._poster = poster
        self._worker = worker
        self._line = line
        self._networks = cycle(NETWORKS)
        self.errors: list[str] = []
        self.samples: list[Sample] = []

    def go(self, jobs: int) -> None:
        """Send the jobs through, a few ahead, and queries between them."""
        waiting: deque[tuple[MixedJob, str]] = deque()
        for number, job in enumerate(mixed_jobs(jobs), 1):
            waiting.append((job, self._post(job)))
            if number % JOBS_PER_QUESTION == 0:
                self._ask(job)
            if len(waiting) > AHEAD or number % ROUND == 0 or number == jobs:
                self._finish(waiting, left=0 if number % ROUND == 0 or number == jobs else AHEAD)
            self._line.show("jobs", number - len(waiting), jobs)
            if number % ROUND == 0:
                self.samples.append(_sample(number, self._worker))

    def _post(self, job: MixedJob) -> str:
        poster = replace(self._poster, params=job.params)
        files = [("image", picture) for picture in job.pictures]
        answer = poster.ask("POST", "/v1/jobs", files=files, data=poster.form())
        return str(answer.json()["id"])

    def _ask(self, job: MixedJob) -> None:
        """Classify the job's picture by the next network, while jobs run."""
        form = {"model": next(self._networks), "top": "2"}
        self._poster.ask("POST", "/v1/classify", files={"image": job.pictures[0]}, data=form)

    def _finish(self, waiting: deque[tuple[MixedJob, str]], *, left: int) -> None:
        while len(waiting) > left:
            sent, job_id = waiting.popleft()
            job = self._poster.finish(job_id)
            if job["status"] != "succeeded":
                self.errors.append(f"{sent.params} of {[name for name, _ in sent.pictures]}: {job['error']}")
            self._poster.ask("DELETE", f"/v1/jobs/{job_id}")  # results of large pictures would fill Redis


def measure(result: report.Report, line: report.Line, *, jobs: int) -> None:
    """Send the jobs through, and compare the worker's peak in each round with that in the first."""
    with ExitStack() as running:
        stack = running.enter_context(Stack(models=MIXED_MODELS, EP_CLASSIFY_S=60))
        client: httpx.Client = running.enter_context(stack.client(timeout_s=90.0))
        mixed, started = Mixed(Poster([client], {}, no_reuse(client)), stack.workers[0], line), time.monotonic()
        _reset_peak(stack.workers[0])
        try:
            mixed.go(jobs)
        except GaveUp as error:
            mixed.errors.append(str(error))
        finally:
            result.tell("seconds per job", round((time.monotonic() - started) / jobs, 2))
            result.equals("errors", len(mixed.errors), 0)
            result.lines += mixed.errors[:20]
            _tell(result, mixed.samples)


def _tell(result: report.Report, samples: list[Sample]) -> None:
    if len(samples) < 2:
        result.check("rounds of jobs", len(samples), "two to compare", met=False)
        return
    first, later = samples[0], max(samples[1:], key=lambda sample: sample.peak)
    result.tell(f"MB, at most, jobs 1 to {first.jobs}", first.peak)
    result.tell(f"MB, at most, jobs {samples[-1].jobs - ROUND + 1} to {samples[-1].jobs}", samples[-1].peak)
    result.at_most(f"MB, at most, any later {ROUND} jobs", later.peak, round(MOST_GROWTH * first.peak, 1))
    result.lines += [f"after {s.jobs}: {s.now:.1f} MB, at most {s.peak:.1f} MB since the last" for s in samples]


def _sample(jobs: int, worker: Process) -> Sample:
    status = Path(f"/proc/{worker.pid}/status").read_text()
    peak_kb = int(re.findall(r"VmHWM:\s*(\d+) kB", status)[0])
    _reset_peak(worker)
    return Sample(jobs, now=round(worker.rss_bytes() / MB, 1), peak=round(peak_kb * 1024 / MB, 1))


def _reset_peak(worker: Process) -> None:
    Path(f"/proc/{worker.pid}/clear_refs").write_text("5")  # proc(5): the peak begins anew


def main(
    jobs: Annotated[int, typer.Option(min=2 * ROUND, help=f"Jobs to send through, {ROUND} in a round.")] = 500,
    out: Annotated[Path | None, typer.Option(help="Where to write what was measured, as JSON.")] = None,
) -> None:
    """Send mixed jobs through one worker, and watch its memory (Linux)."""
    title = f"{jobs} mixed jobs"
    sys.exit(report.run(title, lambda r, line: measure(r, line, jobs=jobs), limit_s=300 + jobs * 10, out=out))


if __name__ == "__main__":
    typer.run(main)
