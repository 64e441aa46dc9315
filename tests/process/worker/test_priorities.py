"""Jobs of low priority wait for others, but not for ever; and none is lost between queue and worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import pytest

from worker import janitor
from worker.broker.contract import JobState, Priority
from worker.broker.queue import job_queue
from worker.settings import SharedSettings

from .small_jobs import GATED, TINY

if TYPE_CHECKING:
    from conftest import Client, WorkerProcess

StartWorker: TypeAlias = "Callable[..., tuple[Client, WorkerProcess]]"


def test_a_low_one_follows_four_normal_ones_and_none_is_lost(
    own: StartWorker, bear: bytes, monkeypatch: pytest.MonkeyPatch
):
    client, _ = own()
    blocker = client.post(bear, **GATED)
    client.wait_iterating(blocker)
    low = [client.post(bear, fields={"priority": "low"}, **TINY) for _ in range(3)]
    normal = [client.post(bear, **TINY) for _ in range(6)]
    # As a worker leaves a job that dies between taking it from one of several queues and starting it.
    assert client.redis.rpop(job_queue(client.redis, Priority.LOW).key) == low[2].encode()
    monkeypatch.setattr(janitor, "MISSING_S", 0.0)  # nothing moves now: what is in no place is lost
    janitor.Janitor(client.redis, SharedSettings()).sweep()  # as those of the API's processes do
    client.delete(blocker)  # it was the first normal one
    records = [client.wait_final(job_id) for job_id in (*low, *normal)]
    assert {record.state for record in records} == {JobState.SUCCEEDED}
    started = sorted(records, key=lambda record: record.started_at)
    assert [record.priority for record in started] == ["normal"] * 3 + ["low"] + ["normal"] * 3 + ["low"] * 2
    assert started[-1].id == low[2]
