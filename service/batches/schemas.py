"""Response models of batches."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from service.jobs.answers import Answer
from worker.broker.contract import JobState, Problem

from .contract import BatchItem


class BatchLinks(BaseModel):
    """Links to the parts of a batch."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    self_: Annotated[str, Field(alias="self")]
    dashboard: Annotated[str, Field(description="The dashboard's page of it, to be opened in a browser.")]
    results: Annotated[str, Field(description="The results of the jobs that have succeeded.")]
    page: Annotated[str, Field(description="One HTML page that shows them, which opens from disk.")]


class BatchJob(BatchItem):
    """One posted image and the state of its job."""

    status: Annotated[JobState | None, Field(description="Null where there is no job (any more).")] = None
    fraction: Annotated[float, Field(ge=0, le=1, description="The progress of its job.")] = 0
    cached: bool = False
    link: Annotated[str | None, Field(description="Its job.")] = None


class BatchRead(BaseModel):
    """A batch with the progress of its jobs."""

    id: str
    created_at: datetime
    done: Annotated[bool, Field(description="Whether all jobs have ended.")]
    fraction: Annotated[float, Field(ge=0, le=1, description="The progress of all jobs together.")]
    counts: Annotated[dict[str, int], Field(description="Images by their job's state; `unusable` ones have no job.")]
    jobs: Annotated[list[BatchJob], Field(description="One per image, in the order in which they were posted.")]
    links: BatchLinks


class BatchResult(BaseModel):
    """Result of one image, or the reason why there is none (yet)."""

    name: str
    job: str | None = None
    status: JobState | None = None
    error: Problem | None = None
    result: Answer | None = None


class BatchResults(BaseModel):
    """The results of a batch so far."""

    id: str
    done: bool
    results: Annotated[list[BatchResult], Field(description="One per image, in the order in which they were posted.")]
