"""`DELETE /v1/jobs`: remove all jobs, batches and files of a caller."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from service.access.authentication import CallerDep
from service.deps import Services
from service.http.errors import InvalidFields, Unavailable
from service.http.problems import problem_responses
from service.uploads.limits import invalid

from .service import Removals

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])


class Removed(BaseModel):
    """Number of jobs that were removed."""

    deleted: Annotated[int, Field(description="How many jobs.", examples=[12])]


async def _removals(request: Request) -> Removals:
    return Services.of(request.app).removals


@router.delete("", summary="Cancel and remove all jobs", responses=problem_responses(InvalidFields, Unavailable))
def delete_jobs(
    caller: CallerDep,
    removals: Annotated[Removals, Depends(_removals)],
    confirmed: Annotated[
        bool | None,
        Query(
            alias="all",
            description="Has to be `true`, so that nobody does it by mistake.",
            json_schema_extra={"const": True},
        ),
    ] = None,
) -> Removed:
    """Remove all jobs that you see, with their images, results and batches; those that run are stopped within moments.

    These are the jobs of your key, or, where the service has no keys, all that there are. Keys of requests that were
    sent with `Idempotency-Key` are free again, no known result is used any more, and no webhook is sent any more. What
    is posted meanwhile stays. Without an answer, send the request again: what is removed stays removed.
    """
    if not confirmed:
        detail = "add ?all=true to remove all of your jobs, or name the one to remove: /v1/jobs/{id}"
        raise invalid("all", detail)
    return Removed(deleted=removals.remove_all(caller))
