"""Blob store: input images, masks, pictures and results, a few named blobs per job.

Redis by default (one hash per job, so that a job's blobs go and expire together); any fsspec URL by setting.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol, cast

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError

from .contract import is_input


class BlobsAway(RedisConnectionError):
    """The blob store can't be reached, or takes nothing: what an outage of Redis calls for is right here, too."""


class BlobStore(Protocol):
    """Named blobs per job. Names are this project's own (`contract`), never taken from a request."""

    def put(self, job_id: str, name: str, data: bytes) -> None:
        """Store a blob, replacing what had its name."""

    def get(self, job_id: str, name: str) -> bytes | None:
        """Return a blob, or None where there is none."""

    def names(self, job_id: str) -> list[str]:
        """Return the names of the job's blobs, sorted."""

    def remove(self, job_id: str, name: str) -> None:
        """Remove one blob, if it is there."""

    def delete(self, job_id: str) -> None:
        """Remove all blobs of the job."""

    def expire(self, job_id: str, seconds: int) -> None:
        """Let all blobs of the job go after `seconds`."""

    def keep(self, job_id: str, pipeline: Pipeline) -> None:
        """Let all blobs of the job stay, as a part of a transaction, whatever `expire` said before."""

    def copy(self, source: str, target: str) -> None:
        """Give the job `target` all blobs of the job `source`, which may have none (any more)."""


class RedisBlobs:
    """Blobs in Redis, under ``{prefix}:blobs:{job id}``."""

    def __init__(self, redis: Redis, *, prefix: str = "ep") -> None:
        self._redis = redis
        self._prefix = prefix

    def put(self, job_id: str, name: str, data: bytes) -> None:
        """Store a blob, replacing what had its name."""
        self._redis.hset(self._key(job_id), name, cast("Any", data))

    def get(self, job_id: str, name: str) -> bytes | None:
        """Return a blob, or None where there is none."""
        return cast("bytes | None", self._redis.hget(self._key(job_id), name))

    def names(self, job_id: str) -> list[str]:
        """Return the names of the job's blobs, sorted."""
        return sorted(name.decode() for name in cast("list[bytes]", self._redis.hkeys(self._key(job_id))))

    def remove(self, job_id: str, name: str) -> None:
        """Remove one blob, if it is there."""
        self._redis.hdel(self._key(job_id), name)

    def delete(self, job_id: str) -> None:
        """Remove all blobs of the job."""
        self._redis.delete(self._key(job_id))

    def expire(self, job_id: str, seconds: int) -> None:
        """Let all blobs of the job go after `seconds`."""
        self._redis.expire(self._key(job_id), seconds)

    def keep(self, job_id: str, pipeline: Pipeline) -> None:
        """Let all blobs of the job stay, as a part of a transaction, whatever `expire` said before."""
        pipeline.persist(self._key(job_id))

    def copy(self, source: str, target: str) -> None:
        """Give the job `target` all blobs of the job `source`, which may have none (any more)."""
        self._redis.copy(self._key(source), self._key(target), replace=True)

    def _key(self, job_id: str) -> str:
        return f"{self._prefix}:blobs:{job_id}"


class FileBlobs:
    """Blobs as files of any fsspec file system (``file:///var/lib/ep``, ``s3://bucket/prefix``, ...).

    A file system forgets nothing by itself: let the bucket's lifecycle rule, or a cron job, match the retention. All
    methods raise `BlobsAway` where it can't be reached.
    """

    def __init__(self, url: str) -> None:
        import fsspec

        # A bucket has no folders to make; a list that is remembered would miss what other hosts do, and only grow.
        is_local = url.startswith(("file:", "/"))
        how = {"auto_mkdir": True} if is_local else {"use_listings_cache": False}
        self._fs, self._root = fsspec.core.url_to_fs(url, **how)

    def put(self, job_id: str, name: str, data: bytes) -> None:
        """Store a blob, replacing what had its name."""
        with _reaching():
            self._fs.pipe_file(self._path(job_id, name), data)

    def get(self, job_id: str, name: str) -> bytes | None:
        """Return a blob, or None where there is none."""
        with suppress(FileNotFoundError), _reaching():
            return cast("bytes", self._fs.cat_file(self._path(job_id, name)))
        return None

    def names(self, job_id: str) -> list[str]:
        """Return the names of the job's blobs, sorted."""
        with _reaching():
            paths = self._fs.find(self._path(job_id))
        # fsspec strips the scheme from what it lists, so names are what follows the job's id.
        return sorted(path.rsplit(f"/{job_id}/", 1)[1] for path in paths)

    def remove(self, job_id: str, name: str) -> None:
        """Remove one blob, if it is there."""
        with suppress(FileNotFoundError), _reaching():
            self._fs.rm_file(self._path(job_id, name))

    def delete(self, job_id: str) -> None:
        """Remove all blobs of the job."""
        with suppress(FileNotFoundError), _reaching():
            self._fs.rm(self._path(job_id), recursive=True)

    def expire(self, job_id: str, seconds: int) -> None:
        """Do nothing: see the class."""

    def keep(self, job_id: str, pipeline: Pipeline) -> None:
        """Do nothing: see the class."""

    def copy(self, source: str, target: str) -> None:
        """Give the job `target` all blobs of the job `source`, which may have none (any more)."""
        for name in self.names(source):
            data = self.get(source, name)
            if data is not None:
                self.put(target, name, data)

    def _path(self, job_id: str, name: str = "") -> str:
        return "/".join(part for part in (self._root, job_id, name) if part)


@contextmanager
def _reaching() -> Iterator[None]:
    """Raise `BlobsAway` where a file system's own error says neither that something isn't there nor isn't allowed."""
    try:
        yield
    except (FileNotFoundError, PermissionError):
        raise
    except Exception as error:  # each file system has its own
        raise BlobsAway(f"the blob store: {error}") from error


def open_blobs(url: str | None, redis: Redis) -> BlobStore:
    """Return the blob store that the setting names: None for Redis, else an fsspec URL."""
    return RedisBlobs(redis) if url is None else FileBlobs(url)


def clear_failed(blobs: BlobStore, job_id: str, *, keep_images: bool, retention_s: int) -> None:
    """Remove what a failed job has stored; its images stay for `retention_s` where they shall be kept."""
    if not keep_images:
        blobs.delete(job_id)
        return
    for name in blobs.names(job_id):
        if not is_input(name):
            blobs.remove(job_id, name)
    blobs.expire(job_id, retention_s)
