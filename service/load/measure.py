"""Measurement of a running service: its three phases, one after the other."""

from __future__ import annotations

from .api import LoadFailed, Service
from .figures import Measured
from .phases import Mix, OnJob, at_once, by_chance, in_turn


def measure(service: Service, mix: Mix, *, jobs: int, load: float, seed: int, on_job: OnJob) -> Measured:
    """Measure a service that has nothing else to do.

    Args:
        service: where to.
        mix: of the jobs.
        jobs: of each phase.
        load: share of the jobs a minute all at once, at which they come by chance.
        seed: of their arrivals.
        on_job: told of the progress.

    Raises:
        LoadFailed: the service can't be reached, refuses a request, or fails a job.
    """
    now = service.metrics()
    if now.get(("ep_workers",), 0.0) < 1:
        raise LoadFailed("no worker is alive there: start one")
    in_turn(service, mix, min(mix.every, jobs), lambda *_: on_job("warming up", 0, 1))  # one of each kind
    one_by_one = in_turn(service, mix, jobs, on_job)
    all_at_once = at_once(service, mix, jobs, on_job)
    per_minute = load * all_at_once.per_minute
    come = by_chance(service, mix, jobs, on_job, per_minute=per_minute, seed=seed)
    return Measured(one_by_one, all_at_once, come, load, processes=round(now["ep_worker_processes",]))
