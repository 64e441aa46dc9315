"""Submission of a checked upload as a job: stored and queued, all of it or nothing. Knows nothing of HTTP."""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

import structlog
from pydantic import ValidationError
from redis import Redis, RedisError

from ep_core.schemas.reports.file_names import RESULT
from ep_core.schemas.tasks import Report, read_report, task_of
from service.access.caller import Caller
from service.http.errors import RETRY_AFTER_S, QueueFull
from service.settings import ApiSettings
from service.uploads.images import PostedImage
from service.uploads.upload import Upload
from worker.broker import queue
from worker.broker.blobs import BlobStore, open_blobs
from worker.broker.contract import Delivery, Finding, JobRecord, JobState, Origin, Priority, is_input
from worker.broker.index import JobIndex
from worker.broker.reuse import KnownResults, hash_content
from worker.broker.store import Created, JobStore

from .eta import QueuePace
from .idempotency import Claims, IdempotentRequest, release
from .room import JobRoom, no_room

NOWHERE = Origin()
ACCEPTING_S = 600
"""Seconds for which images stay whose job is being accepted."""

_log = structlog.get_logger(__name__)


class Submissions:
    """Makes jobs. Every method may raise a `RedisError`."""

    def __init__(self, redis: Redis, settings: ApiSettings) -> None:
        self._redis = redis
        self._settings = settings
        self._store = JobStore(redis, retention_s=settings.retention_s)
        self._index = JobIndex(redis)
        self._blobs: BlobStore = open_blobs(settings.blob_url, redis)
        self._results = KnownResults(redis, retention_s=settings.retention_s)
        self._pace = QueuePace(redis)
        self._room = JobRoom(redis, with_files=settings.blob_url is None)
        self._claims = Claims(redis, hold_s=settings.retention_s, find=self._store.get)

    def submit(
        self, upload: Upload, caller: Caller, *, key: str | None = None, origin: Origin = NOWHERE
    ) -> tuple[JobRecord, bool]:
        """Make a job of an upload that has been checked.

        Args:
            upload: images, parameters and options.
            caller: whose job it is.
            key: the caller's for this request; sent again, it makes no second job.
            origin: which request it is.

        Returns:
            The job, and whether an earlier request has made it.

        Raises:
            KeyReused: another request had the key.
            QueueFull: as many of the caller's jobs wait as may.
            Unavailable, JobTooLarge: Redis has no room for it, now or ever.
        """
        record = self.new_record(upload, upload.images, caller, origin)
        if key is not None:
            request = IdempotentRequest.of(key, upload, owner=caller.owner)
            record.request = request.key
            earlier = self._claims.claim(request, record.id)
            if earlier is not None:
                return earlier, True
        try:
            return self.make(record, upload.images, caller, upload.target_picture), False
        except Exception:
            if record.request is not None:
                with suppress(RedisError):
                    release(self._redis, record.request)
            raise

    def new_record(self, upload: Upload, images: Sequence[PostedImage], caller: Caller, origin: Origin) -> JobRecord:
        """Return the record of a new job about some images of an upload, not stored yet."""
        params, options = upload.params, upload.options
        beside = [upload.target_picture] if upload.target_picture else []
        names, digests = [image.name for image in images], [image.digest for image in [*images, *beside]]
        return JobRecord(
            id=uuid.uuid4().hex,
            params=params,
            images=names,
            created_at=datetime.now(UTC),
            owner=caller.owner,
            priority=options.priority,
            keep_images=options.keep_images,
            webhook=options.webhook,
            delivery=Delivery() if options.webhook else None,
            content=hash_content(digests, params, names=names, owner=caller.owner) if options.reuse else None,
            **origin._asdict(),
        )

    def make(
        self,
        record: JobRecord,
        images: Sequence[PostedImage],
        caller: Caller,
        target_picture: PostedImage | None = None,
    ) -> JobRecord:
        """Store a job and queue it, or finish it at once where its result is known; returns it as it is then.

        Args:
            record: the job's, as `new_record` returns it.
            images: its own.
            caller: whose job it is.
            target_picture: the target's own.

        Raises:
            QueueFull: as many of the caller's jobs wait as may.
            Unavailable, JobTooLarge: Redis has no room for it, now or ever.
        """
        need = self._room.needed(record.params, images)
        inputs = [*images, *([target_picture] if target_picture else [])]
        self._room.check(need, inputs, retry_after_s=self._retry_after_s)
        try:
            known = self._known(record, inputs)
            if known is not None:
                return known
            self._queue(record, inputs, most_queued=caller.max_queued, room=need)
        except Exception:
            with suppress(RedisError, OSError):
                self.discard(record.id, priority=record.priority)
            raise
        return record

    def discard(self, job_id: str, *, priority: Priority) -> None:
        """Remove all parts of a job that can't be completed, whichever were made."""
        self._store.delete(job_id)
        queue.remove(self._redis, job_id, priority=priority)
        self._blobs.delete(job_id)

    def _queue(self, record: JobRecord, inputs: Sequence[PostedImage], *, most_queued: int | None, room: int) -> None:
        if most_queued is not None and self._index.waiting(record.owner) >= most_queued:
            raise QueueFull(most_queued, retry_after_s=self._retry_after_s())
        self._put(record, inputs)
        self._blobs.expire(record.id, ACCEPTING_S)  # so that nothing stays of a job that isn't completed
        with self._redis.pipeline() as accepting:
            accepting.multi()
            self._store.create(record, most_queued=most_queued, room=room, pipeline=accepting)
            self._blobs.keep(record.id, accepting)
            queue.enqueue(
                self._redis,
                record.id,
                timeout_s=self._settings.job_timeout_s,
                priority=record.priority,
                max_attempts=self._settings.max_attempts,
                pipeline=accepting,
            )
            created = accepting.execute()[0]
        self._require(created, most_queued)  # others came first: the worker that takes it meanwhile finds no record
        size, params = sum(len(one.data) for one in inputs), record.params
        images = len(record.images)
        _log.info("job queued", job=record.id, task=params.task, model=params.model, images=images, bytes=size)

    def _put(self, record: JobRecord, inputs: Sequence[PostedImage]) -> None:
        for name, image in zip(record.inputs, inputs, strict=True):
            self._blobs.put(record.id, name, image.data)

    def _known(self, record: JobRecord, inputs: Sequence[PostedImage]) -> JobRecord | None:
        """Finish a job with the result of an earlier one; None where there is none (any more), or none is wanted."""
        if record.content is None:
            return None
        model, content = record.params.model, record.content
        source = self._results.find(content, model=model)
        report = self._copy_result(source, record.id) if source is not None else None
        if report is None:
            return None
        if record.keep_images:
            self._put(record, inputs)
        self._blobs.expire(record.id, self._settings.retention_s)
        now = datetime.now(UTC)
        finished = {"state": JobState.SUCCEEDED, "started_at": now, "finished_at": now, "cached": True}
        files = task_of(record.params).single_files_of(record.params, self._blobs.names(record.id))
        told = {"found": Finding.of(report), "files": list(files.values())}
        record = record.model_copy(update=finished | told)
        self._require(self._store.create(record))
        self._results.add(content, model=model, job_id=record.id)  # it stays longer than the earlier one
        _log.info("job has a known result", job=record.id, source=source)
        return record

    def _copy_result(self, source: str, job_id: str) -> Report | None:
        """Give a job the files of another one, and return its report; None where they are gone."""
        self._blobs.copy(source, job_id)
        stored = self._blobs.get(job_id, RESULT)
        if stored is None:
            self._blobs.delete(job_id)
            return None
        for name in filter(is_input, self._blobs.names(job_id)):
            self._blobs.remove(job_id, name)
        try:
            return read_report(stored)
        except ValidationError as error:  # the job is run, then
            _log.warning("known result can't be read", job=source, error=str(error)[:500])
            self._blobs.delete(job_id)
            return None

    def _require(self, created: int, most_queued: int | None = None) -> None:
        """Raise where there is no record, as there were too many jobs or no room."""
        if created == Created.NO_ROOM:
            raise no_room(retry_after_s=self._retry_after_s())
        if created == Created.TOO_MANY:
            assert most_queued is not None  # noqa: S101
            raise QueueFull(most_queued, retry_after_s=self._retry_after_s())

    def _retry_after_s(self) -> int:
        """Return the seconds until a worker probably takes the next job."""
        return max(1, math.ceil(self._pace.wait_s(0) or RETRY_AFTER_S))
