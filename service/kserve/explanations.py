"""Explanations of the v1 protocol: a job's result, with the files that were asked for in it.

Behind KServe's ingress a client reaches `:explain` alone, not the addresses of files.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence

from pydantic_core import to_json

from ep_core.schemas.tasks import Artifact, task_of
from service.http.links import Links
from service.jobs.links import linked
from service.jobs.service import JobService
from service.uploads.limits import invalid
from worker.broker.contract import JobRecord

from .instances import FILES, Files
from .schemas import Base64File, Explanation, Explanations
from .service import Posted

MOST_FILE_BYTES = 32_000_000
"""Of all files of an answer, before base64."""
_IN_FRAME = ".model"


def make_explanations(ended: Sequence[Posted[Files]], jobs: JobService, links: Links) -> bytes:
    """Return the answer for jobs that have succeeded, as JSON.

    Raises:
        NotFound, NoResult: a result was removed meanwhile, or can't be read.
        InvalidFields: the files have more than `MOST_FILE_BYTES`.
    """
    reader = _FileReader(jobs)
    found = [
        Explanation(
            job=links.job(one.job.id),
            result=linked(jobs.report(one.job.id), one.job.id, links, files=one.job.files),
            files=dict(reader.files(one.job, one.wanted)),
        )
        for one in ended
    ]
    return to_json(Explanations(explanations=found))


class _FileReader:
    """Reads the files of jobs for one answer."""

    def __init__(self, jobs: JobService) -> None:
        self._jobs = jobs
        self._left = MOST_FILE_BYTES

    def files(self, job: JobRecord, wanted: Files) -> Iterator[tuple[str, Base64File | dict[str, Base64File]]]:
        """Yield the files of a result by their keys: a single one, or all of a family by their names."""
        names = self._jobs.artifact_names(job.id) if wanted else []
        artifacts = {one.key: one for one in task_of(job.params).artifacts}
        for key in wanted:
            artifact = artifacts[key]
            if artifact.name is None:
                yield key, self._read(job, artifact.file())
            else:
                yield key, {name: self._read(job, file) for name, file in _family(artifact, names)}

    def _read(self, job: JobRecord, name: str) -> Base64File:
        data = self._jobs.artifact(job.id, name)
        self._left -= len(data)
        if self._left < 0:
            raise invalid(
                FILES,
                f"they have more than {MOST_FILE_BYTES} bytes together: explain fewer images at once, or ask for "
                'fewer files ("files": [] for none)',
            )
        return Base64File(b64=base64.b64encode(data).decode())


def _family(artifact: Artifact, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the names of a family's files with the files, without those in the network's frame."""
    for file in names:
        name = artifact.name_of(file)
        if name is not None and not (artifact.has_frames and name.endswith(_IN_FRAME)):
            yield name, file
