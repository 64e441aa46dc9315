"""Reservations in Redis for jobs which have not ended, so that an accepted job finds room. Imports no torch."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple, cast

from redis import Redis

from ep_core.pictures.file_sizes import Size, largest_files
from ep_core.schemas.model_card import ModelCard
from ep_core.schemas.tasks import Spec

from . import scripts

_RECORD, _RECORD_OF_AREA = 8_192, 256  # RQ's keys and the lists' entries, too
_ENTRY = 96  # a file's name, and its place in the hash


class Free(NamedTuple):
    """Memory of a Redis that has a limit, in bytes."""

    left: int
    """Neither used nor reserved."""
    most: int
    """Most that there can be of it, where nothing is used."""


class Room:
    """The bytes that unfinished jobs have reserved, by their ids in the hash ``{prefix}:reserved`` beside the total.

    `scripts` writes it, an entry and the total in one step. A job's bytes are given back by removing its entry, so that
    they can't be given back twice.
    """

    def __init__(self, redis: Redis, *, prefix: str = "ep") -> None:
        self._redis = redis
        self._key = room_key(prefix)
        self._prefix = prefix
        self._give_back_script = redis.register_script(scripts.GIVE_BACK_ROOM)
        self._look_script = redis.register_script(scripts.LOOK_FOR_ROOM)

    def free(self) -> Free | None:
        """Return what is free; None where Redis has no limit (``maxmemory 0``)."""
        found = cast("list[int]", self._look_script(keys=[self._key]))
        return Free(*found) if found else None

    def reserved(self) -> int:
        """Return the bytes that are reserved."""
        return int(cast("bytes | None", self._redis.hget(self._key, "total")) or 0)

    def holders(self) -> list[str]:
        """Return the ids of the jobs for which room is reserved."""
        names = cast("list[bytes]", self._redis.hkeys(self._key))
        return [name.decode() for name in names if name != b"total"]

    def give_back(self, unfinished: Collection[str]) -> int:
        """Give back what is still reserved for jobs that have ended; returns how many there were.

        The scripts leave none: this is for jobs whose end a worker of an older version wrote.

        Args:
            unfinished: the jobs that hardly have ended, which saves looking at them.
        """
        ended = [job_id for job_id in self.holders() if job_id not in unfinished]
        return sum(self._give_back(job_id) for job_id in ended)

    def _give_back(self, job_id: str) -> int:
        keys = [f"{self._prefix}:job:{job_id}", self._key]
        return int(cast("int", self._give_back_script(keys=keys, args=[job_id])))


def room_key(prefix: str) -> str:
    """Return the key of the reservations."""
    return f"{prefix}:reserved"


def job_bytes(spec: Spec, sizes: Sequence[Size], card: ModelCard | None, *, with_files: bool) -> int:
    """Return the most bytes of Redis's memory that a job takes at any time, beside its posted images and its events.

    Few jobs have many events, those that run for long: these are a part of what is spared (`scripts.SPARE`).

    Args:
        spec: the job's parameters.
        sizes: width and height of each image, in pixels.
        card: the model's, None where it isn't known.
        with_files: whether the result's files lie in Redis.
    """
    record = _RECORD + _RECORD_OF_AREA * len(getattr(spec, "areas", None) or ())
    files = [_allocated(size + _ENTRY) for size in largest_files(spec, sizes, card)] if with_files else []
    return record + sum(files) + max(files, default=0)  # while a file is written, it is there twice


def _allocated(size: int) -> int:
    """Return the bytes that Redis's allocator takes for so many: it has four sizes between a power of two and the next.

    A few more than so many are needed.
    """
    step = max(16, 1 << (size.bit_length() - 3))
    return -(-size // step) * step
