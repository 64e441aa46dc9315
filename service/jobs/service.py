"""What can be done with jobs. Knows Redis, blobs and the queue; knows nothing of HTTP."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog
from redis import Redis, RedisError

from ep_core.channels.choice import check_counts, resolve_layer
from ep_core.errors import InvalidInput
from ep_core.image import read_image
from ep_core.spec import CompareSpec, ExtremalSpec, Spec
from ep_core.targets import resolve_target
from service.errors import InvalidFields, NoResult, NotFound
from service.models.service import find_model
from service.settings import ApiSettings
from service.validation import MAX_ERRORS
from worker import queue
from worker.blobs import BlobStore, open_blobs
from worker.contract import JobRecord, JobState, Origin, input_name, is_input
from worker.index import Place
from worker.store import JobStore

from .idempotency import Claims, Request
from .images import PostedImage, image_error
from .pace import QueuePace

_JOB_ID = re.compile(r"[0-9a-f]{32}")
_log = structlog.get_logger(__name__)


class JobService:
    """Submits, finds and removes jobs. Every method may raise a `RedisError`."""

    def __init__(self, redis: Redis, settings: ApiSettings) -> None:
        self._redis = redis
        self._settings = settings
        self._store = JobStore(redis, retention_s=settings.retention_s)
        self._blobs: BlobStore = open_blobs(settings.blob_url, redis)
        self._pace = QueuePace(redis)
        self._claims = Claims(redis, hold_s=settings.retention_s, find=self._store.get)

    def check_images(self, images: Sequence[PostedImage]) -> None:
        """Decode the images, so that a broken one is refused before there is a job.

        Raises:
            UnreadableImage: the only one is not a single, whole picture.
            ImageTooLarge: it has more pixels than the limit.
            InvalidFields: some of several are one of these; each is named.
        """
        wrong = []
        for k, image in enumerate(images):
            try:
                read_image(image.data, max_pixels=self._settings.max_pixels)
            except InvalidInput as error:
                if len(images) == 1:
                    raise
                wrong.append(image_error(error.detail, image=k, count=len(images), name=image.name))
        if wrong:
            raise InvalidFields(wrong[:MAX_ERRORS])

    def check_params(self, params: Spec) -> None:
        """Compare the model, the target and the layer with what the workers offer.

        Raises:
            Unavailable: no worker has ever said what it offers.
            UnknownName: no such model, layer, or class of that label.
            InvalidInput: the target isn't one of the model's classes, or several carry that label; or the layer has
                fewer channels.
        """
        card = find_model(self._redis, params.model)
        if params.target is not None:
            resolve_target(params.target, card.labels)
        if isinstance(params, ExtremalSpec) or card.layers is None:  # else the worker finds out
            return
        if isinstance(params, CompareSpec) and params.layer is None:
            return
        layer = resolve_layer(params.layer, card.layers, model=card.name, input_size=card.input_size)
        if not isinstance(params, CompareSpec):
            check_counts(params.areas, layer)

    def submit(
        self, images: Sequence[PostedImage], params: Spec, *, key: str | None = None, origin: Origin | None = None
    ) -> tuple[JobRecord, bool]:
        """Store a job whose images and parameters have been checked, and queue it; all of it or nothing.

        Args:
            images: one or several.
            params: what to ask.
            key: the client's for this request; sent again, it makes no second job.
            origin: names this request in logs.

        Returns:
            The job, and whether an earlier request has made it.

        Raises:
            KeyReused: another request had the key.
        """
        request = Request.of(key, images, params) if key else None
        record = JobRecord(
            id=uuid.uuid4().hex,
            params=params,
            images=[image.name for image in images],
            created_at=datetime.now(UTC),
            request=request.key if request else None,
            **(origin or Origin())._asdict(),
        )
        if request is not None:
            earlier = self._claims.claim(request, record.id)
            if earlier is not None:
                return earlier, True
        self._queue(record, images)
        return record, False

    def _queue(self, record: JobRecord, images: Sequence[PostedImage]) -> None:
        try:
            self._store.create(record)  # first: whatever is left of a job that has a record gets found
            for k, image in enumerate(images):
                self._blobs.put(record.id, input_name(k), image.data)
            queue.enqueue(self._redis, record.id, timeout_s=self._settings.job_timeout_s)
        except Exception:
            self._discard(record)
            raise
        size, params = sum(len(image.data) for image in images), record.params
        _log.info("job queued", job=record.id, task=params.task, model=params.model, images=len(images), bytes=size)

    def get(self, job_id: str) -> JobRecord:
        """Return a job's record.

        Raises:
            NotFound: there is none: it never was, was deleted, or has expired.
        """
        record = self._store.get(job_id) if _JOB_ID.fullmatch(job_id) else None
        if record is None:
            raise NotFound(f"There is no job {job_id[:64]!r}: it never was, was deleted, or has expired.")
        return record

    def page(self, *, state: JobState | None, after: Place | None, limit: int) -> tuple[list[JobRecord], Place | None]:
        """Return records, the newest first, and where the next page begins (None where there is none)."""
        return self._store.page(state=state, after=after, limit=limit)

    def position(self, record: JobRecord) -> int | None:
        """Return 1 for the next job to run, 2 for the one after; None where the job isn't waiting."""
        if record.state is not JobState.QUEUED:
            return None
        before = self._store.position(record.id)
        return None if before is None else before + 1

    def wait_s(self, position: int | None) -> float | None:
        """Return the seconds until a waiting job starts, by its position; None where that isn't known."""
        return None if position is None else self._pace.wait_s(position - 1)

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
            raise NotFound(f"The job has no {name}: its `links` name what it has.")
        return data

    def artifact_names(self, job_id: str) -> list[str]:
        """Return the names of what a finished job has stored, its images left out."""
        return [name for name in self._blobs.names(job_id) if not is_input(name)]

    def delete(self, job_id: str) -> None:
        """Remove all of a job; where it runs, its worker stops at its next sign of progress.

        Raises:
            NotFound: as for `get`.
        """
        record = self.get(job_id)
        if record.request is not None:
            self._claims.release(record.request)
        # The record goes first: without it no worker starts or finishes the job, whatever it is doing now.
        self._store.delete(job_id)
        queue.remove(self._redis, job_id)
        self._blobs.delete(job_id)
        _log.info("job deleted", job=job_id)

    def _discard(self, record: JobRecord) -> None:
        """Remove what a failed `submit` left, as far as Redis lets us."""
        with suppress(RedisError, OSError):
            if record.request is not None:
                self._claims.release(record.request)
            self._store.delete(record.id)
            self._blobs.delete(record.id)
