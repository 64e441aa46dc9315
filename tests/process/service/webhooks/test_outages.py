"""Redis comes and goes; nothing is lost, and nothing is sent twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from service.run.embedded_redis import EmbeddedRedis
from service.webhooks.schedule import Deliveries
from tests.process.service.receivers import Answering, status
from worker.broker.queue import REDIS_UNUSABLE

from .sending import PATIENCE_S, couriers, finish_job, is_settled, wait_until


@pytest.fixture
def failed(monkeypatch: pytest.MonkeyPatch) -> dict[str, threading.Event]:
    """Events that are set once a courier could not claim, or settle, a delivery because Redis was away."""
    events = {name: threading.Event() for name in ("claim", "settle")}

    def noting(name: str) -> Callable[..., Any]:
        work = getattr(Deliveries, name)

        def work_or_note(*args: Any, **options: Any) -> Any:
            try:
                return work(*args, **options)
            except REDIS_UNUSABLE:
                events[name].set()
                raise

        return work_or_note

    for name in events:
        monkeypatch.setattr(Deliveries, name, noting(name))
    return events


def test_an_outage_of_redis_is_survived(tmp_path: Path, failed: dict[str, threading.Event]) -> None:
    """Redis goes away during an attempt: what came of it is written down when it is back, and nothing is sent twice."""
    called = threading.Event()
    back = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        called.set()
        back.wait(PATIENCE_S)
        status(200)(handler)

    with EmbeddedRedis(tmp_path) as server, Answering(answer) as receiver:
        redis = Redis.from_url(server.url)
        with couriers(server.url):
            first = finish_job(redis, receiver.url)
            assert called.wait(PATIENCE_S)
            server.stop()
            back.set()
            assert failed["settle"].wait(PATIENCE_S)
            server.start()
            wait_until(lambda: is_settled(redis, first))
            second = finish_job(redis, receiver.url)
            wait_until(lambda: is_settled(redis, second))
        assert [r.headers["webhook-id"] for r in receiver.requests] == [f"msg_{first}", f"msg_{second}"]


def test_it_starts_and_stops_while_redis_is_away(tmp_path: Path, failed: dict[str, threading.Event]) -> None:
    server = EmbeddedRedis(tmp_path)
    with couriers(server.url):
        assert failed["claim"].wait(PATIENCE_S)
        stopping = time.monotonic()
    assert time.monotonic() - stopping < 10
    with Answering() as receiver, couriers(server.url), server:
        redis = Redis.from_url(server.url)
        job_id = finish_job(redis, receiver.url)
        wait_until(lambda: is_settled(redis, job_id))
