"""Operations on jobs: find, list, remove. Knows Redis, blobs and the queue; knows nothing of HTTP."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Self

import structlog
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from ep_core.schemas.reports.file_names import RESULT
from ep_core.schemas.tasks import Report, read_report
from service.access.caller import Caller
from service.http.errors import NoResult, NotFound
from service.settings import ApiSettings
from worker.broker import queue
from worker.broker.blobs import BlobStore, open_blobs
from worker.broker.contract import JobRecord, JobState, is_input
from worker.broker.index import Place
from worker.broker.look import JobLook
from worker.broker.store import JobStore

from .eta import QueuePace
from .idempotency import release

_ID = re.compile(r"[0-9a-f]{32}")
_log = structlog.get_logger(__name__)


class JobService:
    """Finds and removes jobs, those of one caller. Every method may raise a `RedisError`."""

    def __init__(self, redis: Redis, settings: ApiSettings, *, polls: AsyncRedis) -> None:
        self._redis = redis
        self._look = JobLook(polls)
        self._settings = settings
        self._store = JobStore(redis, retention_s=settings.retention_s)
        self._blobs: BlobStore = open_blobs(settings.blob_url, redis)
        self._pace = QueuePace(redis)
        self._owner: str | None = None

    def of(self, caller: Caller) -> Self:
        """Return the same for a caller, who sees only their own jobs."""
        own = copy.copy(self)
        own._owner = caller.owner
        return own

    def get(self, job_id: str) -> JobRecord:
        """Return a job's record.

        Raises:
            NotFound: there is none: it never was, was deleted, has expired, or is another caller's.
        """
        record = self._store.get(job_id) if _ID.fullmatch(job_id) else None
        if record is None or not self._is_own(record):
            raise _no_job(job_id)
        return self._with_files(record)

    async def look(self, job_id: str) -> tuple[JobRecord, int | None]:
        """Return a job's record and its `position`, without holding a thread meanwhile.

        Raises:
            NotFound: as for `get`.
        """
        found = await self._look.at(job_id) if _ID.fullmatch(job_id) else None
        if found is None or not self._is_own(found[0]):
            raise _no_job(job_id)
        record, before = found
        if not _says_files(record):
            record = await run_in_threadpool(self._with_files, record)
        return record, None if before is None else before + 1

    def page(
        self, *, state: JobState | None, task: str | None, after: Place | None, limit: int
    ) -> tuple[list[JobRecord], Place | None]:
        """Return records, the newest first, and where the next page begins (None where there is none)."""
        found, last = self._store.page(state=state, owner=self._owner, task=task, after=after, limit=limit)
        return [self._with_files(record) for record in found], last

    def get_all(self, job_ids: Sequence[str]) -> list[JobRecord | None]:
        """Return the records of jobs, in their order; None for those that aren't there (any more)."""
        found = self._store.get_all(job_ids)
        return [self._with_files(one) if one is not None and self._is_own(one) else None for one in found]

    def position(self, record: JobRecord) -> int | None:
        """Return 1 for the next job to run, 2 for the one after; None where the job isn't waiting."""
        if record.state is not JobState.QUEUED:
            return None
        before = self._store.before(record.id, record.priority)
        return None if before is None else before + 1

    def wait_s(self, position: int | None) -> float | None:
        """Return the seconds until a waiting job starts, by its position; None where that isn't known."""
        return None if position is None else self._pace.wait_s(position - 1)

    async def wait_s_soon(self, position: int | None) -> float | None:
        """Return the same without holding up the event loop."""
        if position is None or self._pace.is_known:
            return self.wait_s(position)
        return await run_in_threadpool(self.wait_s, position)

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
        """Return one of a finished job's files, by its name in `ep_core.schemas.reports.file_names`.

        Raises:
            NotFound: there is no such file.
        """
        data = self._blobs.get(job_id, name)
        if data is None:
            raise NotFound(f"The job has no {name}: its `links` name what it has.")
        return data

    def report(self, job_id: str) -> Report:
        """Return a finished job's report.

        Raises:
            NotFound: it isn't there (any more).
            NoResult: what is stored can't be read.
        """
        stored = self.artifact(job_id, RESULT)
        try:
            return read_report(stored)
        except ValidationError as error:
            _log.warning("stored result can't be read", job=job_id, error=str(error)[:500])
            reason = (
                "The job's stored result can't be read: another version wrote it, or its scores are not finite "
                "numbers. Delete the job, and post it again."
            )
            raise NoResult(reason, state=JobState.SUCCEEDED, error=None) from error

    def artifact_names(self, job_id: str) -> list[str]:
        """Return the names of a finished job's stored files, its images left out."""
        return [name for name in self._blobs.names(job_id) if not is_input(name)]

    def image(self, job_id: str, name: str) -> bytes:
        """Return a posted image, or the target's own picture, by the name of its blob.

        Raises:
            NotFound: it isn't there (any more).
        """
        data = self._blobs.get(job_id, name)
        if data is None:
            raise NotFound("The job has no such image (any more): they stay only where `keep_images` was asked for.")
        return data

    def delete(self, job_id: str) -> None:
        """Remove all of a job; where it runs, its worker stops at its next sign of progress.

        Raises:
            NotFound: as for `get`.
        """
        record = self.get(job_id)
        if record.request is not None:
            release(self._redis, record.request)
        # The record goes first: without it no worker starts or finishes the job, whatever it is doing now.
        self._store.delete(job_id)
        queue.remove(self._redis, job_id, priority=record.priority)
        self._blobs.delete(job_id)
        _log.info("job deleted", job=job_id)

    def _with_files(self, record: JobRecord) -> JobRecord:
        """Return a record that says which files it has: those of earlier versions are looked up."""
        if _says_files(record):
            return record
        return record.model_copy(update={"files": self._blobs.names(record.id)})

    def _is_own(self, record: JobRecord) -> bool:
        return self._owner is None or record.owner == self._owner


def _says_files(record: JobRecord) -> bool:
    return record.state is not JobState.SUCCEEDED or record.files is not None


def _no_job(job_id: str) -> NotFound:
    return NotFound(f"There is no job {job_id[:64]!r}: it never was, was deleted, or has expired.")
