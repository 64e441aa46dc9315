"""State of an older version (`states/`, of that version's own Redis, to expire in 2100) is brought up to date once."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from redis import Redis

from ep_core.schemas.specs import ExtremalSpec
from service.jobs.idempotency import Claims, IdempotentRequest
from service.uploads.upload import Upload
from worker.broker.contract import JobState
from worker.broker.store import JobStore
from worker.broker.upgrade import VERSION, bring_up_to_date
from worker.janitor import Janitor
from worker.settings import SharedSettings

STATE = Path(__file__).parent / "states" / "version-1.json"
IDS = [f"{k:032x}" for k in range(4)]


def restore(redis: Redis) -> None:
    for key, value in json.loads(STATE.read_text()).items():
        if isinstance(value, dict):
            redis.hset(key, mapping=value)
        elif isinstance(value, list):
            redis.zadd(key, dict(value))
        else:
            redis.set(key, value)


def listed(store: JobStore, task: str, **which: object) -> list[str]:
    records, _ = store.page(task=task, limit=10, **which)
    return [record.id for record in records]


def test_jobs_of_the_first_version_are_listed_by_their_task(redis: Redis, store: JobStore):
    restore(redis)
    assert listed(store, "extremal") == []
    assert bring_up_to_date(redis) == 4
    assert listed(store, "extremal") == [IDS[2], IDS[0]]
    assert listed(store, "compare") == [IDS[3], IDS[1]]
    assert listed(store, "compare", owner="ann") == [IDS[3]]
    assert listed(store, "extremal", state=JobState.QUEUED) == [IDS[0]]
    assert store.get(IDS[0]).params == ExtremalSpec()
    assert bring_up_to_date(redis) == 0
    attempt = store.start(IDS[0], worker="new")
    assert store.finish(IDS[0], JobState.SUCCEEDED, attempt=attempt)
    assert listed(store, "extremal", state=JobState.QUEUED) == []
    assert listed(store, "extremal", state=JobState.SUCCEEDED) == [IDS[0]]


def test_the_first_sweep_does_it_and_processes_that_start_together_do_it_once(redis: Redis, store: JobStore):
    restore(redis)
    changed: list[int] = []
    together = [threading.Thread(target=lambda: changed.append(bring_up_to_date(redis))) for _ in range(4)]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    assert sorted(changed) == [0, 0, 0, 4]
    redis.flushdb()
    restore(redis)
    Janitor(redis, SharedSettings()).sweep()
    assert redis.get("ep:state") == str(VERSION).encode()
    assert listed(store, "extremal") == [IDS[2], IDS[0]]


def test_an_empty_or_newer_state_is_left_alone(redis: Redis):
    assert bring_up_to_date(redis) == 0
    assert redis.get("ep:state") == str(VERSION).encode()
    redis.set("ep:state", VERSION + 1)
    restore(redis)
    assert bring_up_to_date(redis) == 0
    assert redis.get("ep:state") == str(VERSION + 1).encode()


def test_a_key_of_the_first_version_makes_no_second_job(redis: Redis, store: JobStore):
    restore(redis)
    claims = Claims(redis, hold_s=60, find=store.get)
    request = IdempotentRequest.of("first-version", Upload(images=(), params=ExtremalSpec()), owner=None)
    assert claims.claim(request, "new").id == IDS[0]
    another = IdempotentRequest.of("first-version", Upload(images=(), params=ExtremalSpec()), owner="ann")
    assert claims.claim(another, "new") is None


def test_a_key_from_before_there_was_a_new_parameter_makes_no_second_job(redis: Redis, store: JobStore):
    restore(redis)
    claims = Claims(redis, hold_s=60, find=store.get)
    request = IdempotentRequest.of("second-version", Upload(images=(), params=ExtremalSpec()), owner=None)
    redis.set(f"ep:request:{request.key}", f"{'0' * 64} {IDS[2]}")  # a fingerprint of all parameters that there were
    assert claims.claim(request, "new").id == IDS[2]
