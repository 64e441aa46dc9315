"""Reservations in Redis for accepted jobs: what each may write is reserved, and one that wouldn't fit is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from redis import Redis

from ep_core.schemas.tasks import Spec
from service.http.errors import JobTooLarge, Unavailable
from service.uploads.images import PostedImage
from worker.broker import catalogue
from worker.broker.reserved import Room, job_bytes


class JobRoom:
    """Looks for room before anything of a job is written; the record's script looks again, as others come meanwhile.

    Args:
        redis: where jobs lie.
        with_files: whether the files of results do.
    """

    def __init__(self, redis: Redis, *, with_files: bool) -> None:
        self._redis = redis
        self._room = Room(redis)
        self._with_files = with_files

    def needed(self, params: Spec, images: Sequence[PostedImage]) -> int:
        """Return the most bytes that a job takes beside its images, which have been decoded before."""
        sizes = [image.size for image in images]
        return job_bytes(params, sizes, catalogue.outline(self._redis, params.model), with_files=self._with_files)

    def check(self, needed: int, images: Sequence[PostedImage], *, retry_after_s: Callable[[], int]) -> None:
        """Look whether a job and its images have room.

        Raises:
            JobTooLarge: they would not even where Redis was empty.
            Unavailable: they have none for now.
        """
        free = self._room.free()
        if free is None:
            return
        posted = sum(len(image.data) for image in images) if self._with_files else 0
        if needed + posted > free.most:
            raise JobTooLarge(
                f"The job may take {_megabytes(needed + posted)}, and the service's Redis holds "
                f"{_megabytes(free.most)} of jobs at most: ask for fewer areas (or methods), or send a smaller image. "
                "The operator can raise its maxmemory, or set EP_BLOB_URL."
            )
        if needed + posted > free.left:
            raise no_room(retry_after_s=retry_after_s())


def no_room(*, retry_after_s: int) -> Unavailable:
    """Return the error of a job for which Redis has no room for now."""
    return Unavailable(
        "The service's Redis has no room for the results of another job: try again when jobs have ended, or delete "
        "those whose results you have.",
        retry_after_s=retry_after_s,
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
