"""`make stops`: workers get a SIGTERM in each phase of a job; none may be lost, fail, run wrong or count an attempt."""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from tests.forked import forked_worker
from tests.small_jobs import MASKS_ONLY
from tests.stopping_worker import CALLS, stopping_worker
from worker.broker.liveness import live_workers

from . import report
from .chaos import tell_results
from .posting import FINAL, JsonObject, Poster, no_reuse, picture, tiny_params
from .stack import Stack, wait_until

IMAGES = 10
ITERATIONS = 20
END_S = 60.0
MOST_DELAY_S = 0.003  # of a signal, which then comes amid a call
GRACES = ("0", "30")
"""Seconds that a stopped worker has: the job is put back as soon as it can be, or finished."""


@dataclass(frozen=True)
class Options:
    """Options of the command line."""

    times: int
    seed: int

    @property
    def rounds(self) -> list[tuple[str, str]]:
        """The phase and the grace of each stop."""
        return [(phase, GRACES[k % 2]) for k in range(self.times) for phase in CALLS]

    @property
    def limit_s(self) -> float:
        """Seconds after which a run that isn't done has failed."""
        return 240 + 15.0 * len(self.rounds)


def measure(result: report.Report, line: report.Line, options: Options) -> None:
    """Stop a worker in each phase, with and without grace, and compare the results."""
    with ExitStack() as running:
        stack = running.enter_context(Stack(workers=0))
        client = running.enter_context(stack.client())
        poster = Poster([client], tiny_params(iterations=ITERATIONS) | MASKS_ONLY, no_reuse(client))
        stopped, log = stack.folder / "stopped", stack.folder / "workers.log"
        _publish_models(stack, log)
        image_of: dict[str, int] = {}
        chance = random.Random(options.seed)
        codes: Counter[int | None] = Counter()
        for k, (phase, grace) in enumerate(options.rounds):
            image_of[poster.post(picture(k % IMAGES))] = k % IMAGES
            env = stack.env | {"EP_STOP_GRACE_S": grace}
            call, delay_s = chance.randrange(CALLS[phase]), chance.choice((0.0, chance.uniform(0, MOST_DELAY_S)))
            worker = stopping_worker(env, log, phase=phase, stopped=stopped, call=call, delay_s=delay_s)
            worker.start()
            worker.join(END_S)
            codes[worker.exitcode] += 1
            worker.kill()
            line.show(phase, k + 1, len(options.rounds))
        ended = _finish(stack, poster, image_of, log)
        result.tell("stops", len(options.rounds))
        result.equals("of these, in a job", len(set(stopped.read_text().split())), len(options.rounds))
        result.tell("jobs put back", log.read_text().count("job put back"))
        result.equals("workers that ended with another code than 0", codes.total() - codes[os.EX_OK], 0)
        _tell(result, image_of, ended)
        tell_results(result, image_of, ended, poster)


def _publish_models(stack: Stack, log: Path) -> None:
    """Let a worker say what there is, and end: else nothing can be posted."""
    worker = forked_worker(stack.env, log)
    worker.start()
    with stack.connect() as redis:
        wait_until(lambda: live_workers(redis), within_s=END_S)
    worker.terminate()
    worker.join()


def _finish(stack: Stack, poster: Poster, image_of: dict[str, int], log: Path) -> dict[str, JsonObject]:
    """Run what is left, and return the jobs that have ended in time."""
    worker = forked_worker(stack.env, log)
    worker.start()
    try:
        deadline = time.monotonic() + END_S
        while True:
            jobs = {job_id: poster.ask("GET", f"/v1/jobs/{job_id}").json() for job_id in image_of}
            ended = {job_id: job for job_id, job in jobs.items() if job["status"] in FINAL}
            if len(ended) == len(image_of) or time.monotonic() > deadline:
                return ended
            time.sleep(0.5)
    finally:
        worker.kill()
        worker.join()


def _tell(result: report.Report, image_of: dict[str, int], ended: dict[str, JsonObject]) -> None:
    states = Counter(job["status"] for job in ended.values())
    result.equals("jobs lost", len(image_of) - len(ended), 0)
    result.equals("jobs succeeded", states["succeeded"], len(image_of))
    result.equals("jobs of more than one attempt", sum(job["attempt"] != 1 for job in ended.values()), 0)
    for job in ended.values():
        if job["status"] != "succeeded":
            result.lines.append(f"{job['id']} {job['status']}, attempt {job['attempt']}: {job['error']}")


def main(
    times: Annotated[int, typer.Option(help="Stops in each phase, half of them without grace.")] = 100,
    seed: Annotated[int, typer.Option(help="Draws the moments.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Where to write what was measured, as JSON.")] = None,
) -> None:
    """Stop workers in each phase of a job: while it decodes, steps, scores and stores."""
    options = Options(times, seed)
    title = f"SIGTERM in each of {', '.join(CALLS)}, {times} times each"
    sys.exit(report.run(title, lambda r, line: measure(r, line, options), limit_s=options.limit_s, out=out))


if __name__ == "__main__":
    typer.run(main)
