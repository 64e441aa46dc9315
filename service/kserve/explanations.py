"""Explanations of the v1 protocol: a job's result, with the files that were asked for in it.

Behind KServe's ingress a client reaches `:explain` alone, not the addresses of files.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

from ep_core.schemas.tasks import Artifact, task_of
from service.http.links import Links
from service.jobs.links import linked
from service.jobs.service import JobService
from worker.broker.contract import JobRecord

from .instances import Files
from .schemas import Base64File, Explanation, Explanations
from .service import Posted

_IN_FRAME = ".model"


def make_explanations(ended: Sequence[Posted[Files]], jobs: JobService, links: Links) -> bytes:
    """Return the answer for jobs that have succeeded, as JSON.

    Raises:
        NotFound, NoResult: a result was removed meanwhile, or can't be read.
    """
    found = [_explanation(one.job, one.wanted, jobs, links) for one in ended]
    return Explanations(explanations=found).model_dump_json().encode()


def _explanation(job: JobRecord, wanted: Files, jobs: JobService, links: Links) -> Explanation:
    result = linked(jobs.report(job.id), job.id, links)
    names = jobs.artifact_names(job.id)
    artifacts = {one.key: one for one in task_of(job.params).artifacts}
    files = {key: _file(artifacts[key], names, job, jobs) for key in wanted}
    return Explanation(job=links.job(job.id), result=result, files=files)


def _file(
    artifact: Artifact, names: Sequence[str], job: JobRecord, jobs: JobService
) -> Base64File | dict[str, Base64File]:
    """Return a file of a result, or all of a family by their names, without those in the network's frame."""

    def read(name: str) -> Base64File:
        return Base64File(b64=base64.b64encode(jobs.artifact(job.id, name)).decode())

    if artifact.name is None:
        return read(artifact.file())
    named = {artifact.name_of(name): name for name in names}
    return {key: read(name) for key, name in named.items() if key is not None and not key.endswith(_IN_FRAME)}
