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

router = APIRouter(tags=["operation"])


class Alive(BaseModel):
    """The API answers."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """Jobs are taken and run."""

    status: Literal["ready"] = "ready"
    workers: int
    queued: Annotated[int, Field(description="Jobs that wait for a worker.")]
    running: int


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
    return Ready(workers=workers, queued=counts[JobState.QUEUED], running=counts[JobState.RUNNING])
