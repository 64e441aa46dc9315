"""A worker that finishes every job at once: with the example's report and masks of a few pixels, or with a problem."""

from __future__ import annotations

import threading
from typing import Self

import numpy as np
from PIL import Image
from redis import Redis

from ep_core.schemas.reports.extremal import ExtremalReport
from ep_core.schemas.reports.file_names import CONTRAST_KEY, RESULT, SALIENCY, alternative_key, mask_name
from service.jobs.examples import REPORT
from tests.pictures import encode
from worker.broker.blobs import RedisBlobs
from worker.broker.contract import JobRecord, JobState, Problem
from worker.broker.store import JobStore

AREAS = (0.05, 0.1, 0.2)
IN_FRAME = np.arange(3 * 2 * 4, dtype=np.uint8).reshape(3, 2, 4)
"""Masks of the areas, in the network's frame."""
ON_IMAGE = np.arange(3 * 3 * 5, dtype=np.uint8).reshape(3, 3, 5) + 100


class FinishingWorker(threading.Thread):
    """Worker that keeps the jobs that it took; inside its ``with`` block it runs."""

    def __init__(self, redis: Redis, store: JobStore) -> None:
        super().__init__(daemon=True)
        self._blobs = RedisBlobs(redis)
        self._store = store
        self._ending = threading.Event()
        self.problem: Problem | None = None
        """What all jobs end with from now on."""
        self.taken: list[tuple[JobRecord, bytes]] = []
        """Jobs with their images, in the order in which they were taken."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self.join(10)

    def run(self) -> None:
        while not self._ending.wait(0.02):
            waiting, _ = self._store.page(state=JobState.QUEUED, owner=None, task=None, after=None, limit=20)
            for record in reversed(waiting):  # the oldest first
                self._finish(record)

    def _finish(self, record: JobRecord) -> None:
        attempt = self._store.start(record.id, worker="test")
        self.taken.append((record, self._blobs.get(record.id, record.inputs[0]) or b""))
        if self.problem is not None:
            self._store.finish(record.id, JobState.FAILED, attempt=attempt, error=self.problem)
            return
        report = ExtremalReport.model_validate(REPORT)
        for k, area in enumerate(AREAS):
            self._blobs.put(record.id, mask_name(area, frame="model"), encode(Image.fromarray(IN_FRAME[k]), "PNG"))
            self._blobs.put(record.id, mask_name(area), encode(Image.fromarray(ON_IMAGE[k]), "PNG"))
        for key in (alternative_key(0), CONTRAST_KEY):
            self._blobs.put(record.id, mask_name(key), f"picture {key}".encode())
        self._blobs.put(record.id, SALIENCY, b"heat")
        self._blobs.put(record.id, RESULT, report.model_dump_json().encode())
        self._store.finish(record.id, JobState.SUCCEEDED, attempt=attempt)
