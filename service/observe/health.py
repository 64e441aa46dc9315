"""Health checks: liveness of the API, and readiness to run jobs."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from service.deps import RedisDep
from service.http.errors import Unavailable
from service.http.problems import problem_responses
from worker.broker.contract import JobState
from worker.broker.index import JobIndex
from worker.broker.liveness import live_workers
from worker.broker.queue import probe
from worker.broker.stepping import Stepping, stepping

router = APIRouter(tags=["operation"])


class Alive(BaseModel):
    """The API answers."""

    status: Literal["alive"] = "alive"


class Sharing(BaseModel):
    """Jobs that share devices, and the speed of their common batches, over the last seconds."""

    jobs: int
    masks: Annotated[float, Field(description="In a batch, on average.")]
    steps_per_s: Annotated[float, Field(description="Batches that are stepped in a second, of all devices.")]
    filled: Annotated[float, Field(description="Share of the masks that there is room for in the batches.", ge=0, le=1)]


class Ready(BaseModel):
    """Jobs are taken and run."""

    status: Literal["ready"] = "ready"
    workers: int
    queued: Annotated[int, Field(description="Jobs that wait for a worker.")]
    running: int
    sharing: Annotated[
        Sharing | None, Field(description="Null while no worker with several jobs at once steps masks.")
    ] = None


@router.get("/healthz", summary="Is the API alive?")
async def check_health() -> Alive:
    """Answer at once, whatever the state of Redis and the workers."""
    return Alive()


@router.get("/readyz", summary="Are jobs taken and run?", responses=problem_responses(Unavailable))
def check_readiness(redis: RedisDep) -> Ready:
    """Answer 200 when Redis takes writes and at least one worker lives, else 503 saying which of them is missing."""
    probe(redis)
    workers = live_workers(redis)
    if workers == 0:
        raise Unavailable("No worker is alive: jobs are taken, but wait until one is.")
    counts = JobIndex(redis).counts()
    return Ready(
        workers=workers,
        queued=counts[JobState.QUEUED],
        running=counts[JobState.RUNNING],
        sharing=_sharing(stepping(redis)),
    )


def _sharing(speed: Stepping | None) -> Sharing | None:
    if speed is None:
        return None
    return Sharing(
        jobs=speed.jobs,
        masks=round(speed.lanes, 1),
        steps_per_s=round(speed.batches_per_s, 2),
        filled=round(min(1.0, speed.filled), 3),
    )
