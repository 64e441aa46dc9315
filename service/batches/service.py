"""Operations on batches. Knows nothing of HTTP."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

import structlog
from redis import Redis, RedisError

from service.access.caller import Caller
from service.http.errors import ApiError, InvalidFields, NotFound
from service.http.validation import MAX_ERRORS
from service.jobs.idempotency import Claims, IdempotentRequest, release
from service.jobs.service import JobService
from service.jobs.submission import NOWHERE, Submissions
from service.settings import ApiSettings
from service.uploads.images import PostedImage, image_error
from service.uploads.upload import Upload
from worker.broker.contract import Origin

from .contract import BatchItem, BatchRecord, BatchStore

_ID = re.compile(r"[0-9a-f]{32}")
_log = structlog.get_logger(__name__)


class BatchService:
    """Makes, finds and removes batches. Every method may raise a `RedisError`."""

    def __init__(self, redis: Redis, settings: ApiSettings, submissions: Submissions) -> None:
        self._redis = redis
        self._store = BatchStore(redis)
        self._submissions = submissions
        self._claims = Claims(redis, hold_s=settings.retention_s, find=self._store.get)

    def submit(
        self, upload: Upload, caller: Caller, *, key: str | None = None, origin: Origin = NOWHERE
    ) -> tuple[BatchRecord, bool]:
        """Make a job of each image that can be used.

        Args:
            upload: checked images, parameters and options.
            caller: whose batch it is.
            key: the caller's for this request; sent again, it makes no second batch.
            origin: which request it is.

        Returns:
            The batch, and whether an earlier request has made it. An image for which the queue had no more room is one
            that can't be used; where no job at all could be made, there is no batch.

        Raises:
            KeyReused: another request had the key.
            InvalidFields: no image can be used.
            QueueFull: as many of the caller's jobs wait as may.
        """
        _check_any(upload.images)
        made = BatchRecord(id=uuid.uuid4().hex, created_at=datetime.now(UTC), owner=caller.owner, items=[])
        if key is not None:
            request = IdempotentRequest.of(key, upload, owner=caller.owner, kind="batch")
            made.request = request.key
            earlier = self._claims.claim(request, made.id)
            if earlier is not None:
                return earlier, True
        try:
            self._make(made, upload, caller, origin)
        except Exception:
            self._discard(made, upload)
            raise
        _log.info("batch queued", batch=made.id, jobs=len(made.jobs), unusable=len(made.items) - len(made.jobs))
        return made, False

    def get(self, batch_id: str, caller: Caller) -> BatchRecord:
        """Return a batch.

        Raises:
            NotFound: there is none: it never was, was deleted, has expired, or is another caller's.
        """
        record = self._store.get(batch_id) if _ID.fullmatch(batch_id) else None
        if record is None or caller.owner not in (None, record.owner):
            raise NotFound(f"There is no batch {batch_id[:64]!r}: it never was, was deleted, or has expired.")
        return record

    def delete(self, record: BatchRecord, jobs: JobService) -> None:
        """Remove a batch and all of its jobs; those that run are stopped."""
        for job_id in record.jobs:
            with suppress(NotFound):
                jobs.delete(job_id)
        if record.request is not None:
            release(self._redis, record.request)
        self._store.delete(record.id)
        _log.info("batch deleted", batch=record.id)

    def _make(self, made: BatchRecord, upload: Upload, caller: Caller, origin: Origin) -> None:
        new = partial(self._submissions.new_record, upload, caller=caller, origin=origin)
        records = [
            None if image.problem else new([image]).model_copy(update={"batch": made.id}) for image in upload.images
        ]
        made.items = [
            BatchItem(name=image.name, job=record.id if record else None, error=image.problem)
            for image, record in zip(upload.images, records, strict=True)
        ]
        self._store.create(made)  # whole, before its first job, whose watchers may look the batch up
        errors: list[ApiError] = []
        for image, record, item in zip(upload.images, records, made.items, strict=True):
            if record is None:
                continue
            try:
                self._submissions.make(record, [image], caller, upload.target_picture)
            except ApiError as error:
                errors.append(error)
                item.job, item.error = None, error.problem
        if errors and not made.jobs:
            raise errors[0]
        if errors:
            self._store.update(made)

    def _discard(self, made: BatchRecord, upload: Upload) -> None:
        """Remove what a failed `submit` left, as far as Redis lets us."""
        with suppress(RedisError, OSError):
            if made.request is not None:
                release(self._redis, made.request)
            for job_id in made.jobs:
                self._submissions.discard(job_id, priority=upload.options.priority)
            self._store.delete(made.id)


def _check_any(images: Sequence[PostedImage]) -> None:
    """Raise `InvalidFields` where no image can be used."""
    problems = [image.problem for image in images if image.problem]
    if len(problems) == len(images):
        count = len(images)
        wrong = [
            image_error(problem.detail, image=k, count=count, name=images[k].name) for k, problem in enumerate(problems)
        ]
        raise InvalidFields(wrong[:MAX_ERRORS])
