"""Redis comes and goes; nothing is lost, and nothing is sent twice."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from redis import Redis

from service.run.embedded_redis import EmbeddedRedis
from tests.process.service.receivers import Answering, status

from .sending import PATIENCE_S, couriers, finish_job, is_settled, wait_until


def test_an_outage_of_redis_is_survived(tmp_path: Path) -> None:
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
            time.sleep(1.5)
            server.start()
            wait_until(lambda: is_settled(redis, first))
            second = finish_job(redis, receiver.url)
            wait_until(lambda: is_settled(redis, second))
        assert [r.headers["webhook-id"] for r in receiver.requests] == [f"msg_{first}", f"msg_{second}"]


def test_it_starts_and_stops_while_redis_is_away(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path)
    with couriers(server.url):
        time.sleep(0.5)
        stopping = time.monotonic()
    assert time.monotonic() - stopping < 10
    with Answering() as receiver, couriers(server.url), server:
        redis = Redis.from_url(server.url)
        job_id = finish_job(redis, receiver.url)
        wait_until(lambda: is_settled(redis, job_id))
