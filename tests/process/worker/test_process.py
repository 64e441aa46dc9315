"""A worker process's start and end, in this process."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from types import FrameType, SimpleNamespace

import pytest
from redis import Redis

from worker.broker import queue
from worker.broker.liveness import live_workers
from worker.process import main, seats
from worker.process.heartbeat import Heartbeat
from worker.process.runtime import Runtime
from worker.settings import WorkerSettings


@pytest.fixture
def deadly_signals() -> Iterator[None]:
    """Signals that nobody handles fail the test; by default they would kill it."""

    def fail(number: int, frame: FrameType | None) -> None:
        pytest.fail(f"signal {number} came before the worker heeded it")

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, fail) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.usefixtures("deadly_signals")
@pytest.mark.parametrize("beats", [False, True])
def test_a_signal_is_heeded_as_soon_as_anybody_can_know_of_the_worker(
    new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch, beats: bool
):
    """Just before the first heartbeat, and just after the heartbeat began."""
    begin = Heartbeat.start

    def signaled(heartbeat: Heartbeat) -> None:
        if beats:
            begin(heartbeat)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Heartbeat, "start", signaled)
    url = new_database()
    redis: Redis = queue.connect(url)
    runtime = Runtime.build("host.1", WorkerSettings(redis_url=url), redis)
    main.work(runtime, redis, lambda: None)
    assert live_workers(redis) == 0


@pytest.mark.usefixtures("deadly_signals")
def test_a_signal_in_the_middle_of_a_message_is_heeded_after_it(
    new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
):
    said: list[str] = []

    def say(message: str, **_values: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        said.append(message)

    url = new_database()
    redis: Redis = queue.connect(url)
    runtime = Runtime.build("host.1", WorkerSettings(redis_url=url), redis)
    monkeypatch.setattr(seats, "log", SimpleNamespace(info=say))
    main.work(runtime, redis, lambda: None)
    assert said == ["worker ready"]
    assert live_workers(redis) == 0
