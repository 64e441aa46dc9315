"""A job at a glance: the file that shows most of it."""

from __future__ import annotations

from ep_core.schemas.tasks import task_of
from ep_core.schemas.tasks.pictures import OVERLAY
from worker.broker.contract import JobRecord, JobState


def has_thumbnail(job: JobRecord) -> bool:
    """Return whether a job has something to show."""
    return job.keep_images or name_of_found(job) is not None


def name_of_found(job: JobRecord) -> str | None:
    """Return the file that shows what a job found: the image under the mask of a*, or the task's own picture."""
    if job.state is not JobState.SUCCEEDED:
        return None
    task = task_of(job.params)
    files = task.files_of(job.params)
    optimal = job.found.optimal_area if job.found else None
    if optimal in files.get(OVERLAY, ()):
        return OVERLAY.file(optimal)  # type: ignore[arg-type]  # None is no area
    return next((one.file() for one in files if one.key == task.picture), None)
