"""Room that is reserved for jobs: as much as they write, while they have not ended, and no more than there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from redis import Redis

from ep_core.pictures.decoding import read_image
from ep_core.schemas.reports.extremal import PartialPoint
from service.run.embedded_redis import EmbeddedRedis
from worker.broker import catalogue, scripts
from worker.broker.contract import JobRecord, JobState, is_input
from worker.broker.events import event_key
from worker.broker.queue import connect, enqueue
from worker.broker.reserved import Room, job_bytes
from worker.broker.store import Created, JobStore
from worker.janitor import Janitor
from worker.settings import SharedSettings

from .records import FINAL, PROGRESS, Make, assert_nothing_stays

if TYPE_CHECKING:
    from conftest import Client

MOST = 100_000_000

TASKS: list[dict[str, Any]] = [
    {"areas": (0.05, 0.2, 0.6), "iterations": 1},
    {"task": "compare", "methods": ("grad_cam", "extremal"), "areas": (0.1, 0.4), "iterations": 1},
    {"task": "channels", "layer": "features.18", "areas": (5, 100, 1280), "iterations": 1},
    {"task": "class_channels", "layer": "features.18", "areas": (100, 1280), "iterations": 1, "invert": False},
]


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Redis]:
    """A Redis that may hold `MOST` bytes."""
    with EmbeddedRedis(tmp_path) as server, connect(server.url) as redis:
        redis.config_set("maxmemory", MOST)
        yield redis


def bytes_of(redis: Redis, *keys: str | bytes) -> int:
    return sum(redis.memory_usage(key, samples=0) or 0 for key in keys)


@pytest.mark.parametrize("params", TASKS, ids=lambda params: params.get("task", "extremal"))
def test_a_job_writes_no_more_than_was_said_and_a_tenth_at_least(shared: Client, bear: bytes, params: dict[str, Any]):
    images = 2 if params.get("task") == "class_channels" else 1
    job_id = shared.post(*images * [bear], **params)
    record = shared.wait_final(job_id, within_s=120)
    assert record.state is JobState.SUCCEEDED, record.error
    for name in filter(is_input, shared.blobs.names(job_id)):  # the worker does the same at the same time
        shared.blobs.remove(job_id, name)
    written = bytes_of(shared.redis, f"ep:blobs:{job_id}", f"ep:job:{job_id}", event_key(job_id))
    card = catalogue.outline(shared.redis, record.params.model)
    said = job_bytes(record.params, images * [read_image(bear).size], card, with_files=True)
    assert written <= said <= 10 * written


def test_a_record_is_counted_with_all_that_names_the_job(redis: Redis, store: JobStore, make_record: Make):
    areas = [k / 65 for k in range(1, 65)]
    record = make_record(params={"areas": areas}, owner="ann", webhook="https://example.org/" + "x" * 2000)
    store.create(record)
    enqueue(redis, record.id, timeout_s=60)
    attempt = store.start(record.id, worker="w", lease_s=60)
    curve = [PartialPoint(area=area, measured_area=1 / 3, score=-100 / 3) for area in areas]
    assert store.update(record.id, attempt=attempt, progress=PROGRESS, partial_curve=curve)
    written = bytes_of(redis, *(key for key in redis.keys("*") if key != event_key(record.id).encode()))
    assert written <= job_bytes(record.params, [(32, 24)], None, with_files=False) <= 3 * written


@pytest.mark.parametrize("end", [*FINAL, "deleted"])
def test_room_is_held_until_the_job_ends_and_given_back_once(
    redis: Redis, store: JobStore, make_record: Make, end: JobState | str
):
    room, record, other = Room(redis), make_record(), make_record()
    assert store.create(record, room=1000) is store.create(other, room=500) is Created.YES
    for _ in range(2):  # attempts
        attempt = store.start(record.id, worker="w")
        assert (room.reserved(), set(room.holders())) == (1500, {record.id, other.id})
    assert store.give_back(record.id, attempt=attempt)
    assert room.reserved() == 1500
    if end == "deleted":
        assert store.delete(record.id)
    else:
        store.start(record.id, worker="w")
        assert store.finish(record.id, end)
        assert not store.finish(record.id, end)
    assert (room.reserved(), room.holders()) == (500, [other.id])
    store.delete(record.id)
    assert room.reserved() == 500
    store.delete(other.id)
    assert_nothing_stays(redis)


def test_no_more_is_reserved_than_there_is(limited: Redis, make_record: Make):
    store, room = JobStore(limited, retention_s=600), Room(limited)
    free = room.free()
    assert free.left < free.most == MOST - MOST // scripts.SPARE
    first, second = make_record(), make_record()
    assert store.create(first, room=free.left - 5_000_000) is Created.YES
    assert 0 < room.free().left <= 5_000_000
    assert store.create(second, room=5_000_001) is Created.NO_ROOM
    assert store.get(second.id) is None
    assert store.create(make_record(), room=1_000_000) is Created.YES
    store.delete(first.id)
    assert store.create(second, room=free.left // 2) is Created.YES


def test_a_redis_without_a_limit_has_room(redis: Redis, store: JobStore, make_record: Make):
    assert store.create(make_record(), room=10**15) is Created.YES
    assert (Room(redis).free(), Room(redis).reserved()) == (None, 10**15)


def test_room_of_a_job_that_an_older_worker_ended_is_given_back(redis: Redis, store: JobStore, make_record: Make):
    ended, waiting = make_record(), make_record()
    for record in (ended, waiting):
        store.create(record, room=1000)
    finish_as_before(redis, store, ended)
    assert Room(redis).reserved() == 2000
    Janitor(redis, SharedSettings()).sweep()
    assert (Room(redis).reserved(), Room(redis).holders()) == (1000, [waiting.id])


def finish_as_before(redis: Redis, store: JobStore, record: JobRecord) -> None:
    """End a job by the script of the version before there were reservations."""
    attempt = store.start(record.id, worker="older")
    older = scripts.WRITE.replace("  give_back(KEYS[8], id)\n", "")
    assert older != scripts.WRITE
    args = [attempt, "succeeded", "running", record.id, 600, "state", "succeeded"]
    assert redis.register_script(older)(keys=store._keys(record.id)[:7], args=args)
