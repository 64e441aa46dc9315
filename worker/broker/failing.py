"""Failing a job, by its worker, that worker's heartbeat or the janitor. Imports no torch."""

from __future__ import annotations

from .blobs import BlobStore, clear_failed
from .contract import JobRecord, JobState, Problem
from .store import JobStore


def fail_job(
    store: JobStore, blobs: BlobStore, job_id: str, problem: Problem, *, attempt: int | None, retention_s: int
) -> JobRecord | None:
    """Fail a job, and remove what it has stored.

    The record decides: what an attempt stored that has been taken over, or has succeeded, stays untouched. A full Redis
    is no obstacle (`scripts.WRITE`).

    Args:
        store: of the records.
        blobs: of what jobs store.
        job_id: the job's.
        problem: why it fails.
        attempt: the attempt that fails; None where no worker runs it.
        retention_s: how long images stay that shall be kept.

    Returns:
        The failed job's record; None where this attempt may not fail it (any more).
    """
    if not store.finish(job_id, JobState.FAILED, attempt=attempt, error=problem):
        return None
    record = store.get(job_id)
    keep = record is not None and record.keep_images
    clear_failed(blobs, job_id, keep_images=keep, retention_s=retention_s)
    return record
