"""The addresses of jobs, their parts and models, as paths from the root of the host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from ep_core.schemas.targets import picture_of
from ep_core.schemas.tasks import Report, Spec, task_of
from ep_core.schemas.tasks.task import as_text
from service.jobs.answers import Answer, answer
from service.jobs.schemas import JobLinks
from worker.broker.contract import JobRecord, JobState

BUNDLE = "bundle.zip"


@dataclass(frozen=True)
class Links:
    """Builds links; `root_path` is the path below which a proxy shows the service."""

    root_path: str = ""

    def model(self, name: str) -> str:
        """Return the address of a model."""
        return f"{self.root_path}/v1/models/{quote(name, safe=':/')}"

    def job(self, job_id: str) -> str:
        """Return the job's own address."""
        return f"{self.root_path}/v1/jobs/{job_id}"

    def batch(self, batch_id: str) -> str:
        """Return the address of a batch."""
        return f"{self.root_path}/v1/batches/{batch_id}"

    def page(self, **query: str | int | None) -> str:
        """Return the address of a page of jobs; what is None is left out."""
        return f"{self.root_path}/v1/jobs?{urlencode({name: value for name, value in query.items() if value})}"

    def part(self, job_id: str, name: str) -> str:
        """Return the address of one of the job's files, by its name in the result."""
        return f"{self.job(job_id)}/{name}"

    def all(self, record: JobRecord) -> JobLinks:
        """Return the links that a job has in its state."""
        links: dict[str, Any] = {"self_": self.job(record.id), "events": self.part(record.id, "events")}
        if record.batch is not None:
            links["batch"] = self.batch(record.batch)
        if record.keep_images:
            links["images"] = [self.part(record.id, f"images/{k}") for k in range(len(record.images))]
            part = picture_of(record.params.target)
            links |= {part: self.part(record.id, part)} if part else {}
        if record.state is JobState.SUCCEEDED:
            links |= {"result": self.part(record.id, "result"), "bundle": self.part(record.id, BUNDLE)}
            links |= self._files(record)
        return JobLinks(**links)

    def into(self, report: Report, job_id: str) -> Answer:
        """Return the report with its job's id and the addresses of its files in it."""
        artifacts = {"result": "result", **_single_files(report.params), "bundle": BUNDLE}
        return answer(report, job_id=job_id, base=f"{self.job(job_id)}/", artifacts=artifacts)

    def _files(self, record: JobRecord) -> dict[str, Any]:
        """Return the links to the files of a result: one, or for a family one for each name."""
        links: dict[str, Any] = {}
        for artifact, names in task_of(record.params).files_of(record.params).items():
            if artifact.key is not None and artifact.name is None:
                links[artifact.key] = self.part(record.id, artifact.file())
            elif artifact.key is not None:
                links[artifact.key] = {as_text(one): self.part(record.id, artifact.file(one)) for one in names}
        return links


def for_bundle(report: Report, job_id: str) -> Answer:
    """Return the report with the names of the files that lie beside it in the bundle."""
    return answer(report, job_id=job_id, base="", artifacts=_single_files(report.params))


def _single_files(params: Spec) -> Mapping[str, str]:
    """Return the files that a task's result has one of, by what a client calls them."""
    files = task_of(params).files_of(params)
    return {one.key: one.file() for one in files if one.key is not None and one.name is None}
