"""Contract of the API and the workers: states, records, names. Imports no torch.

One record per job is the truth. It moves only as `MOVES` allows; RQ's own job is an execution detail behind it.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer
from pydantic_core import to_json

from ep_core.schemas.reports.common import TargetRef
from ep_core.schemas.reports.extremal import PartialPoint
from ep_core.schemas.reports.subject import Subject
from ep_core.schemas.targets import picture_of
from ep_core.schemas.tasks import Report, Spec

TASK = "worker.tasks.run_job"  # enqueued by its dotted path, so that the API never imports it
TAKEN_OVER: Final = "taken over"
"""Returned by the task where another attempt has taken over its job: all but its own execution is that one's."""
MAX_ATTEMPTS = 5  # runs of a job whose workers die, by default: more than an innocent one needs among many deaths

INPUT = "input"  # the blob of the posted image, of several the first; those of results: `ep_core.schemas.reports`
TARGET_PICTURE = f"{INPUT}-target"  # the blob of the target's own picture, posted as `target_image` or `target_mask`


class JobState(StrEnum):
    """State of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_final(self) -> bool:
        """True where the state is final: no move leads out of it."""
        return not MOVES[self]


MOVES: dict[JobState, frozenset[JobState]] = {
    # A second attempt after a lost worker goes from running to running: a new lease, not a new state.
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELED}),
    JobState.RUNNING: frozenset({JobState.RUNNING, JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELED: frozenset(),
}


class Priority(StrEnum):
    """Priority of a job in the queue."""

    NORMAL = "normal"
    LOW = "low"


QUEUES: dict[Priority, str] = {Priority.NORMAL: "extremal", Priority.LOW: "extremal-low"}
NORMAL_PER_LOW = 4
"""While both wait, a worker takes one job of low priority after so many normal ones: the low ones never starve."""


class Problem(BaseModel):
    """Problem details (RFC 9457); members beyond the standard ones are allowed."""

    model_config = ConfigDict(extra="allow")

    type: Annotated[str, Field(description="Stable identifier of the kind of problem.")]
    title: str
    status: int
    detail: Annotated[str, Field(description="The error, and what to change.")]


class JobProgress(BaseModel):
    """Progress of a running job."""

    iteration: int
    total: int
    fraction: Annotated[float, Field(ge=0, le=1)]
    eta_s: Annotated[float | None, Field(description="Estimated seconds to the end; null while unknown.")] = None
    first_step_at: Annotated[
        datetime | None,
        Field(description="When the first step of its masks began; null until then, and for tasks on channels."),
    ] = None
    stage: Annotated[
        str | None,
        Field(
            description="Of a sweep: `walks` (coarse masks of all areas), `masks` (optimised, each at its area), then "
            "`rivals`, `contrast`, `alternatives`. Of a comparison: the method that runs, then `scoring`. Null for the "
            "other tasks."
        ),
    ] = None
    subject: Annotated[
        Subject | None, Field(description="What is explained, once it is known; null for tasks on channels.")
    ] = None
    ended: Annotated[list[str], Field(description="The methods of a comparison that have found a map so far.")] = []


class MaskPreview(BaseModel):
    """A mask that is still being worked on."""

    area: Annotated[float, Field(description="The requested share of the image.")]
    mask: Annotated[str, Field(description="A small 8-bit PNG in the network's frame, as a data URL.")]


class MapPreview(BaseModel):
    """The map of a comparison's method that has ended."""

    method: str
    map: Annotated[
        str, Field(description="Its positive part as a small 8-bit PNG in the network's frame, as a data URL.")
    ]


class Previews(BaseModel):
    """Preview of a running job: the masks that are worked on, and the maps that were found."""

    masks: list[MaskPreview] = []
    maps: Annotated[list[MapPreview], Field(description="Of a comparison, all so far.")] = []


class DeliveryAttempt(BaseModel):
    """One try to deliver a webhook."""

    at: datetime
    status_code: Annotated[
        int | None, Field(description="The status of the receiver's response; null without one.")
    ] = None
    error: Annotated[str | None, Field(description="The reason why there was no response.")] = None
    ms: Annotated[int, Field(description="Milliseconds that it took.")]


class Delivery(BaseModel):
    """Delivery of a job's webhook."""

    status: Literal["pending", "delivered", "failed"] = "pending"
    attempts: Annotated[list[DeliveryAttempt], Field(description="The last 10.")] = []
    next_attempt_at: Annotated[datetime | None, Field(description="Null where there is none to come.")] = None


class Finding(BaseModel):
    """Summary of a finished job's result."""

    target: TargetRef
    optimal_area: Annotated[
        int | float | None,
        Field(description="a*: a share of the image, or a count of channels; null where none suffices."),
    ] = None

    @classmethod
    def of(cls, report: Report) -> Self:
        """Return the summary of a report."""
        return cls(target=report.target, optimal_area=getattr(report, "optimal_area", None))


class Origin(NamedTuple):
    """The request that a job came from: for logs and traces, and for links to the job."""

    request_id: str | None = None
    traceparent: str | None = None
    root_path: str | None = None


def _as_json(text: str) -> str:
    return to_json(text).decode()


class JobRecord(BaseModel):
    """The record of one job, as stored."""

    id: str
    state: JobState = JobState.QUEUED
    params: Spec
    images: Annotated[list[str], Field(description="The names of the posted images' files, empty where unknown.")] = [
        ""
    ]
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    attempt: Annotated[int, Field(description="1 for the first run, more after workers were lost.")] = 0
    worker: str | None = None
    progress: JobProgress | None = None
    partial_curve: list[PartialPoint] = []
    error: Problem | None = None
    found: Annotated[Finding | None, Field(description="Null until it has succeeded.")] = None
    files: Annotated[
        list[str] | None, Field(description="The single files of its result; null of jobs that earlier versions ended.")
    ] = None
    request: Annotated[str | None, Field(description="The hash of the request's idempotency key.")] = None
    webhook: Annotated[str | None, Field(description="The URL of its webhook.")] = None
    delivery: Annotated[Delivery | None, Field(description="Null without a webhook.")] = None
    owner: Annotated[str | None, Field(description="The name of the API key that posted it; null without keys.")] = None
    priority: Priority = Priority.NORMAL
    batch: Annotated[str | None, Field(description="The id of its batch.")] = None
    content: Annotated[str | None, Field(description="The hash of images and parameters, where it may be reused.")] = (
        None
    )
    cached: Annotated[bool, Field(description="Whether its result is that of an earlier job.")] = False
    keep_images: Annotated[bool, Field(description="Whether the posted images stay when the job has ended.")] = False
    request_id: Annotated[str | None, Field(description="Names the request that posted it in the logs.")] = None
    traceparent: Annotated[str | None, Field(description="The request's trace context (W3C `traceparent`).")] = None
    root_path: Annotated[
        str | None,
        PlainSerializer(_as_json, when_used="json-unless-none"),  # older workers read fields that are new to them so
        Field(description="The path below which a proxy shows the service to the caller."),
    ] = None

    @property
    def inputs(self) -> list[str]:
        """The names of the blobs of its images, and of its target's own picture, where it has one."""
        beside = [] if picture_of(self.params.target) is None else [TARGET_PICTURE]
        return [*map(input_name, range(len(self.images))), *beside]

    def as_fields(self) -> dict[str, str]:
        """Return the fields of its Redis hash: text as it is, everything else as JSON, unset ones left out."""
        dumped: dict[str, Any] = self.model_dump(mode="json", exclude_none=True)
        return {name: as_field(value) for name, value in dumped.items()}


def input_name(image: int) -> str:
    """Return the name of a posted image's blob, by its place among the job's images."""
    return INPUT if image == 0 else f"{INPUT}-{image}"


def is_input(name: str) -> bool:
    """Return whether a blob is a posted image, or a target's own picture."""
    return name.partition("-")[0] == INPUT


def as_field(value: Any) -> str:
    """Return one value of a record as the text of its hash field."""
    return value if isinstance(value, str) else to_json(value).decode()
