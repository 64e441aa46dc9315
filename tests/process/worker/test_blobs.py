"""Both blob stores keep the same promises."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from s3fs import S3FileSystem

from tests.cloud import BUCKET, s3_bucket, s3_client
from worker.broker.blobs import BlobsAway, BlobStore, open_blobs


@pytest.fixture(scope="module")
def bucket() -> Iterator[Any]:
    """A client of a bucket that the environment leads to."""
    with s3_bucket() as cloud, pytest.MonkeyPatch.context() as patch:
        for name, value in cloud.env.items():
            patch.setenv(name, value)
        yield s3_client(cloud.env)


@pytest.fixture(params=["redis", "file", "memory", "s3"])
def blobs(request: pytest.FixtureRequest, redis: Redis, tmp_path: Path) -> BlobStore:
    urls = {"file": f"file://{tmp_path}/blobs", "memory": f"memory://{tmp_path.name}"}
    if request.param == "s3":
        request.getfixturevalue("bucket")
        urls["s3"] = f"s3://{BUCKET}/{tmp_path.name}"
    return open_blobs(urls.get(request.param), redis)


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


def test_what_another_host_has_done_since_is_seen(bucket: Any, redis: Redis):
    """s3fs remembers what it has listed."""
    blobs = open_blobs(f"s3://{BUCKET}/seen", redis)
    assert blobs.names("job") == []
    blobs.put("job", "input", b"x")
    assert blobs.names("job") == ["input"]
    bucket.put_object(Bucket=BUCKET, Key="seen/job/result.json", Body=b"{}")
    assert blobs.names("job") == ["input", "result.json"]
    bucket.delete_object(Bucket=BUCKET, Key="seen/job/input")
    assert blobs.names("job") == ["result.json"]
    blobs.delete("job")
    assert bucket.list_objects_v2(Bucket=BUCKET, Prefix="seen/")["KeyCount"] == 0


def test_a_bucket_that_is_not_there_is_not_made(bucket: Any, redis: Redis):
    with pytest.raises(OSError, match="bucket"):
        open_blobs("s3://elsewhere/jobs", redis).put("job", "input", b"x")
    assert [one["Name"] for one in bucket.list_buckets()["Buckets"]] == [BUCKET]


@pytest.fixture
def no_connections() -> Iterator[None]:
    """s3fs keeps none of its file systems, whose addresses are those of the environment at the time."""
    S3FileSystem.clear_instance_cache()
    yield
    S3FileSystem.clear_instance_cache()


@pytest.mark.usefixtures("no_connections")
def test_a_store_that_cannot_be_reached_is_away(monkeypatch: pytest.MonkeyPatch, redis: Redis, tmp_path: Path):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(BlobsAway, match="the blob store: Could not connect"):
        open_blobs(f"s3://{BUCKET}/away", redis).names("job")
    (tmp_path / "file").touch()
    with pytest.raises(BlobsAway, match="the blob store: "):
        open_blobs(f"file://{tmp_path}/file", redis).put("job", "input", b"x")
