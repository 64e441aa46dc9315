"""The stored files of finished jobs, as answers. They never change, so clients may keep them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Depends, Response

from ep_core.schemas.reports.file_names import RESULT
from ep_core.schemas.targets import picture_of
from ep_core.schemas.tasks import Artifact, Report, task_of
from ep_core.schemas.tasks.task import as_text
from service.deps import SettingsDep
from service.http.caching import NOT_MODIFIED, IfNoneMatch, immutable_response
from service.http.errors import InvalidFields, NoResult, NotFound, Unavailable
from service.http.media_types import Accept, file_content, negotiate
from service.http.problems import problem_responses
from worker.broker.contract import TARGET_PICTURE, JobRecord

from .deps import JobsDep
from .endpoints import JobId
from .image_types import image_type
from .links import for_bundle

HTML = "text/html"
PAGE_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:"
)
"""Content-Security-Policy of a page that holds results: its scripts may do nothing in the service's name."""


class Artifacts:
    """The stored files of one finished job, as answers."""

    def __init__(
        self,
        job_id: JobId,
        jobs: JobsDep,
        settings: SettingsDep,
        if_none_match: IfNoneMatch = None,
        accept: Accept = None,
    ) -> None:
        self._jobs = jobs
        self._if_none_match = if_none_match
        self._accept = accept
        self._max_age_s = settings.retention_s
        self.record: JobRecord = jobs.get_finished(job_id)

    def name(self, artifact: Artifact, text: str) -> float | str:
        """Return the name of a file of a family that `text` is, as the job has it; numbers are compared as numbers.

        Raises:
            NotFound: the result has no such file, or its task has none of this kind.
        """
        files = task_of(self.record.params).files_of(self.record.params)
        if artifact not in files or artifact.name is None:
            task = self.record.params.task
            raise NotFound(f"This job, of the task {task}, {artifact.absent}: its `links` name what it has.")
        known = files[artifact]
        for one in known:
            if text == as_text(one) or (isinstance(one, float) and _same_number(text, one)):
                return one
        others = self._further_names(artifact, known)
        if text in others:
            return text
        further = f"; beside these it has {', '.join(others)}" if others and known else ""
        listed = ", ".join(map(as_text, known or others))
        members: dict[str, Any] = {artifact.name.listed: known, "others": others}
        raise NotFound(
            f"The job has no {artifact.name.of} {text[:32]}: its {artifact.name.listed} are {listed}{further}.",
            **members,
        )

    def _further_names(self, artifact: Artifact, known: Sequence[float | str]) -> list[str]:
        """Return the names of a family's files that only the report tells."""
        report = self.report()
        files = [file for _, named in task_of(report.params).places_of(report) for file in named.values()]
        names = filter(None, map(artifact.name_of, files))
        return [name for name in names if name not in set(map(as_text, known))]

    def file(self, name: str) -> bytes:
        """Return a stored file.

        Raises:
            NotFound: the job has no such file.
        """
        return self._jobs.artifact(self.record.id, name)

    def report(self) -> Report:
        """Return the stored report.

        Raises:
            NotFound: the job has none.
            NoResult: it can't be read.
        """
        return self._jobs.report(self.record.id)

    def all_files(self) -> dict[str, bytes]:
        """Return all stored files by name, without the posted images, with a kept target's picture."""
        files = {name: self.file(name) for name in self._jobs.artifact_names(self.record.id)}
        part = picture_of(self.record.params.target)
        if part and self.record.keep_images:
            picture = self._jobs.image(self.record.id, TARGET_PICTURE)
            files[f"{part}{image_type(picture).suffix}"] = picture
        return files | {RESULT: for_bundle(self.report(), self.record.id, files).model_dump_json(indent=2).encode()}

    def respond(self, content: bytes, media_type: str, *, filename: str | None = None) -> Response:
        """Return the answer that carries the file `content`."""
        return negotiate(self._respond(content, media_type, filename=filename), self._accept)

    def send(self, artifact: Artifact, name: str) -> Response:
        """Return the answer that carries a stored file.

        Raises:
            NotFound: the job has no such file.
        """
        content = self.file(name)
        if artifact.document:
            return self.respond_json(content)
        response = self.respond(content, artifact.media_type)
        if artifact.media_type == HTML:
            response.headers["Content-Security-Policy"] = PAGE_POLICY
        return response

    def respond_json(self, content: bytes) -> Response:
        """Return the answer that carries the JSON text `content`."""
        return self._respond(content, "application/json")

    def _respond(self, content: bytes, media_type: str, *, filename: str | None = None) -> Response:
        return immutable_response(
            content, media_type, if_none_match=self._if_none_match, max_age_s=self._max_age_s, filename=filename
        )


ArtifactsDep = Annotated[Artifacts, Depends()]


def file_responses(media_type: str, description: str) -> dict[int | str, dict[str, Any]]:
    """Return OpenAPI's description of responses that carry a file."""
    return _responses(description, file_content(media_type))


def json_responses(description: str, **content: Any) -> dict[int | str, dict[str, Any]]:
    """Return OpenAPI's description of responses that carry JSON, beside its schema."""
    return _responses(description, {"application/json": content})


def _responses(description: str, content: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {
        200: {"description": description, "content": content},
        304: NOT_MODIFIED,
        **problem_responses(NotFound, NoResult, InvalidFields, Unavailable),
    }


def _same_number(text: str, area: float) -> bool:
    try:
        return float(text) == area
    except ValueError:
        return False
