"""Both blob stores keep the same promises."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from redis import Redis

from worker.broker.blobs import BlobStore, open_blobs


@pytest.fixture(params=["redis", "file", "memory"])
def blobs(request: pytest.FixtureRequest, redis: Redis, tmp_path: Path) -> BlobStore:
    url = {"redis": None, "file": f"file://{tmp_path}/blobs", "memory": f"memory://{tmp_path.name}"}[request.param]
    return open_blobs(url, redis)


def test_blobs_come_back_byte_for_byte(blobs: BlobStore):
    data = bytes(range(256)) * 10
    blobs.put("job", "masks/0.05.png", data)
    blobs.put("job", "input", b"")
    assert blobs.get("job", "masks/0.05.png") == data
    assert blobs.get("job", "input") == b""


def test_putting_again_replaces(blobs: BlobStore):
    blobs.put("job", "input", b"old and long")
    blobs.put("job", "input", b"new")
    assert blobs.get("job", "input") == b"new"


def test_names_are_sorted_and_the_jobs_own(blobs: BlobStore):
    for name in ("saliency.png", "masks/0.1.png", "input"):
        blobs.put("job", name, b"x")
    blobs.put("job2", "curve.svg", b"x")
    assert blobs.names("job") == ["input", "masks/0.1.png", "saliency.png"]


def test_what_is_not_there_is_none_and_can_be_removed(blobs: BlobStore):
    assert blobs.get("nobody", "input") is None
    assert blobs.names("nobody") == []
    blobs.remove("nobody", "input")
    blobs.delete("nobody")
    blobs.expire("nobody", 5)


def test_removing_takes_one_and_deleting_all(blobs: BlobStore):
    blobs.put("job", "input", b"x")
    blobs.put("job", "masks/0.1.png", b"x")
    blobs.put("other", "input", b"x")
    blobs.remove("job", "input")
    assert blobs.names("job") == ["masks/0.1.png"]
    blobs.delete("job")
    assert blobs.names("job") == []
    assert blobs.get("other", "input") == b"x"


def test_redis_blobs_expire_together(redis: Redis):
    blobs = open_blobs(None, redis)
    blobs.put("job", "input", b"x")
    blobs.put("job", "curve.svg", b"x")
    blobs.expire("job", 1)
    blobs.put("job", "late.png", b"x")
    deadline = time.monotonic() + 20
    while blobs.names("job"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert list(redis.scan_iter("*")) == []
