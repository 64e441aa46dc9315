"""Links that a job's state and its result have."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ep_core.schemas.targets import picture_of
from ep_core.schemas.tasks import Report, task_of
from ep_core.schemas.tasks.task import as_text
from service.http.links import Links
from worker.broker.contract import JobRecord, JobState

from .answers import Answer, answer
from .glance import has_thumbnail
from .schemas import JobLinks

BUNDLE = "bundle.zip"


def links_of(record: JobRecord, links: Links) -> JobLinks:
    """Return the links that a job has in its state."""
    found: dict[str, Any] = {"self_": links.job(record.id), "events": links.part(record.id, "events")}
    found["dashboard"] = links.dashboard("job", record.id)
    if record.batch is not None:
        found["batch"] = links.batch(record.batch)
    if has_thumbnail(record):
        found["thumbnail"] = links.part(record.id, "thumbnail")
    if record.keep_images:
        found["images"] = [links.part(record.id, f"images/{k}") for k in range(len(record.images))]
        part = picture_of(record.params.target)
        found |= {part: links.part(record.id, part)} if part else {}
    if record.state is JobState.SUCCEEDED:
        found |= {"result": links.part(record.id, "result"), "bundle": links.part(record.id, BUNDLE)}
        found |= _files(record, links)
    return JobLinks(**found)


def linked(report: Report, job_id: str, links: Links, *, files: Collection[str] | None = None) -> Answer:
    """Return a report with its job's id and the addresses of its files in it.

    Args:
        report: as it is stored.
        job_id: of its job.
        links: of the service as the caller sees it.
        files: the single files that the job has; None for all that its task makes.
    """
    artifacts = {"result": "result", **task_of(report.params).single_files_of(report.params, files), "bundle": BUNDLE}
    return answer(report, job_id=job_id, base=f"{links.job(job_id)}/", artifacts=artifacts)


def for_bundle(report: Report, job_id: str, files: Collection[str]) -> Answer:
    """Return the report with the names of the files that lie beside it in the bundle, all of them `files`."""
    artifacts = task_of(report.params).single_files_of(report.params, files)
    return answer(report, job_id=job_id, base="", artifacts=artifacts)


def _files(record: JobRecord, links: Links) -> dict[str, Any]:
    """Return the links to the files of a result: one, or for a family one for each name."""
    single = task_of(record.params).single_files_of(record.params, record.files)
    found: dict[str, Any] = {key: links.part(record.id, file) for key, file in single.items()}
    for artifact, names in task_of(record.params).files_of(record.params).items():
        if artifact.key is not None and artifact.name is not None:
            found[artifact.key] = {as_text(one): links.part(record.id, artifact.file(one)) for one in names}
    return found
