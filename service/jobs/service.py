"""What can be done with jobs. Knows Redis, blobs and the queue; knows nothing of HTTP."""

from __future__ import annotations

import re
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog
from redis import Redis, RedisError

from ep_core.image import read_image
from ep_core.spec import Spec
from ep_core.targets import resolve_target
from service.errors import NoResult, NotFound
from service.models.service import find_model
from service.settings import ApiSettings
from worker import queue
from worker.blobs import BlobStore, open_blobs
from worker.contract import INPUT, JobRecord, JobState
from worker.store import JobStore

_JOB_ID = re.compile(r"[0-9a-f]{32}")
_log = structlog.get_logger(__name__)


class JobService:
    """Submits, finds and removes jobs. Every method may raise a `RedisError`."""

    def __init__(self, redis: Redis, settings: ApiSettings) -> None:
        self._redis = redis
        self._settings = settings
        self._store = JobStore(redis, retention_s=settings.retention_s)
        self._blobs: BlobStore = open_blobs(settings.blob_url, redis)

    def check_image(self, data: bytes) -> None:
        """Decode the whole image, so that a broken one is refused before there is a job.

        Raises:
            UnreadableImage: not a single, whole picture.
            ImageTooLarge: more pixels than the limit.
        """
        read_image(data, max_pixels=self._settings.max_pixels)

    def check_params(self, params: Spec) -> None:
        """Compare the model and the target with what the workers offer.

        Raises:
            Unavailable: no worker has ever said what it offers.
            UnknownName: no such model, or no class of that label.
            InvalidInput: the target isn't one of the model's classes, or several carry that label.
        """
        card = find_model(self._redis, params.model)
        if params.target is not None:
            resolve_target(params.target, card.labels)

    def submit(self, image: bytes, params: Spec) -> JobRecord:
        """Store a job whose image and parameters have been checked, and queue it; all of it or nothing."""
        record = JobRecord(id=uuid.uuid4().hex, params=params, created_at=datetime.now(UTC))
        try:
            self._store.create(record)  # first: whatever is left of a job that has a record gets found
            self._blobs.put(record.id, INPUT, image)
            queue.enqueue(self._redis, record.id, timeout_s=self._settings.job_timeout_s)
        except Exception:
            self._discard(record.id)
            raise
        _log.info("job queued", job=record.id, model=params.model, areas=len(params.areas), image_bytes=len(image))
        return record

    def get(self, job_id: str) -> JobRecord:
        """Return a job's record.

        Raises:
            NotFound: there is none: it never was, was deleted, or has expired.
        """
        record = self._store.get(job_id) if _JOB_ID.fullmatch(job_id) else None
        if record is None:
            raise NotFound(f"There is no job {job_id[:64]!r}: it never was, was deleted, or has expired.")
        return record

    def position(self, record: JobRecord) -> int | None:
        """Return 1 for the next job to run, 2 for the one after; None where the job isn't waiting."""
        if record.state is not JobState.QUEUED:
            return None
        before = queue.position(self._redis, record.id)
        return None if before is None else before + 1

    def expires_at(self, record: JobRecord) -> datetime | None:
        """Return when a finished job goes away; None for one that isn't finished."""
        return record.finished_at and record.finished_at + timedelta(seconds=self._settings.retention_s)

    def get_finished(self, job_id: str) -> JobRecord:
        """Return the record of a job that has succeeded.

        Raises:
            NotFound: as for `get`.
            NoResult: the job is still waiting or running, or has failed or been canceled.
        """
        record = self.get(job_id)
        if record.state is JobState.SUCCEEDED:
            return record
        if record.error is not None:
            reason = f"The job failed: {record.error.detail}"
        elif record.state.is_final:
            reason = f"The job was {record.state}."
        else:
            reason = f"The job is {record.state}: ask again when its status is succeeded."
        raise NoResult(reason, state=record.state, error=record.error)

    def artifact(self, job_id: str, name: str) -> bytes:
        """Return one of a finished job's files, by its name in `ep_core.report`.

        Raises:
            NotFound: there is no such file.
        """
        data = self._blobs.get(job_id, name)
        if data is None:
            raise NotFound(f"The job has no {name} (any more).")
        return data

    def artifact_names(self, job_id: str) -> list[str]:
        """Return the names of what a finished job has stored, its input left out."""
        return [name for name in self._blobs.names(job_id) if name != INPUT]

    def delete(self, job_id: str) -> None:
        """Remove all of a job; where it runs, its worker stops at its next sign of progress.

        Raises:
            NotFound: as for `get`.
        """
        self.get(job_id)
        # The record goes first: without it no worker starts or finishes the job, whatever it is doing now.
        self._store.delete(job_id)
        queue.remove(self._redis, job_id)
        self._blobs.delete(job_id)
        _log.info("job deleted", job=job_id)

    def _discard(self, job_id: str) -> None:
        """Remove what a failed `submit` left, as far as Redis lets us."""
        with suppress(RedisError, OSError):
            self._store.delete(job_id)
            self._blobs.delete(job_id)
