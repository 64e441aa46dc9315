"""Response models of jobs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, create_model

from ep_core.schemas.reports.extremal import PartialPoint
from ep_core.schemas.tasks import TASKS, Artifact, Spec
from worker.broker.contract import Delivery, Finding, JobProgress, JobState, Priority, Problem


class _LinksOfAll(BaseModel):
    """Links to the parts of a job; a part that it does not have (yet) has none."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    self_: Annotated[str, Field(alias="self")]
    dashboard: Annotated[str, Field(description="The dashboard's page of it, to be opened in a browser.")]
    events: Annotated[str | None, Field(description="Its events, as server-sent events.")] = None
    result: str | None = None
    bundle: str | None = None
    batch: Annotated[str | None, Field(description="The batch that it is of.")] = None
    thumbnail: Annotated[
        str | None, Field(description="A small JPEG of its first image, or of what it found, where there is one.")
    ] = None
    images: Annotated[list[str] | None, Field(description="The posted images, where `keep_images` was asked for.")] = (
        None
    )
    target_image: Annotated[
        str | None, Field(description="The target's second picture, where `keep_images` was asked for.")
    ] = None
    target_mask: Annotated[
        str | None, Field(description="The target's region as it was posted, where `keep_images` was asked for.")
    ] = None


def _links_of_tasks() -> dict[str, Any]:
    """Return the fields of `JobLinks` for the files of all tasks, by their keys."""
    found = {one.key: one for task in TASKS.values() for one in task.artifacts if one.key is not None}
    return {key: _link(one) for key, one in found.items()}


def _link(artifact: Artifact) -> tuple[Any, Any]:
    if artifact.name is not None:
        return dict[str, str], Field(default={}, description=artifact.link)
    return str | None, Field(default=None, description=artifact.link)


if TYPE_CHECKING:  # a type checker can't read a table
    JobLinks: TypeAlias = _LinksOfAll
else:
    JobLinks = create_model(
        "JobLinks", __base__=_LinksOfAll, __doc__=_LinksOfAll.__doc__, __module__=__name__, **_links_of_tasks()
    )


class JobRead(BaseModel):
    """A job with its state and progress."""

    id: str
    status: JobState
    params: Annotated[Spec, Field(description="As it runs, with the defaults filled in.")]
    created_at: datetime
    started_at: Annotated[datetime | None, Field(description="Start of the current or last attempt.")] = None
    finished_at: datetime | None = None
    expires_at: Annotated[
        datetime | None, Field(description="When the job and its results are removed; null until it is finished.")
    ] = None
    attempt: Annotated[int, Field(description="0 while queued, 1 for the first run, more after workers were lost.")] = 0
    position: Annotated[int | None, Field(description="While queued: 1 is the next to run.")] = None
    starts_in_s: Annotated[
        float | None, Field(description="While queued: about how many seconds it will wait; null while unknown.")
    ] = None
    priority: Priority = Priority.NORMAL
    batch: Annotated[str | None, Field(description="The id of its batch.")] = None
    cached: Annotated[bool, Field(description="Whether its result is that of an earlier job (see `reuse`).")] = False
    progress: Annotated[JobProgress | None, Field(description="While running.")] = None
    partial_curve: Annotated[list[PartialPoint], Field(description="While running: the curve so far.")] = []
    error: Annotated[Problem | None, Field(description="Why it failed.")] = None
    found: Annotated[Finding | None, Field(description="A summary of its result, once it has succeeded.")] = None
    delivery: Annotated[Delivery | None, Field(description="The delivery of its webhook.")] = None
    links: JobLinks


class JobPage(BaseModel):
    """Some jobs, the newest first."""

    jobs: Annotated[list[JobRead], Field(description="Fewer than `limit` where some just expired.")]
    next: Annotated[str | None, Field(description="The next page's address; null on the last one.")] = None
