"""Watching a job over a real connection: a server in a thread, a client that reads as it comes."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from redis import Redis

from service.app import create_app
from service.jobs.reader import MOST_WAITING, Listener
from service.settings import ApiSettings
from worker.broker.contract import JobProgress, JobState
from worker.broker.events import event_key
from worker.broker.store import JobStore

Post = Callable[[], str]
Finish = Callable[[str], None]
Event = dict[str, Any]


@pytest.fixture(scope="module")
def address(settings: ApiSettings) -> Iterator[str]:
    """The address of a running API."""
    server = uvicorn.Server(uvicorn.Config(create_app(settings), port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.config.app.state.services.stopping.set()
    server.should_exit = True
    thread.join(20)


@contextmanager
def watched(address: str, job_id: str, *, after: str | None = None) -> Iterator[Iterator[Event]]:
    """The events of a job, as a browser would read them."""
    headers = {} if after is None else {"Last-Event-ID": after}
    with httpx.stream("GET", f"{address}/v1/jobs/{job_id}/events", headers=headers, timeout=10) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _events(answer.iter_lines())


def _events(lines: Iterator[str]) -> Iterator[Event]:
    event: Event = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line == "":
            if "data" in event:
                yield event | {"data": json.loads(event["data"])}
            event = {}
        elif name:
            event[name] = value


def progress(store: JobStore, job_id: str, attempt: int, iteration: int) -> None:
    done = JobProgress(iteration=iteration, total=10, fraction=iteration / 10)
    assert store.update(job_id, attempt=attempt, progress=done, partial_curve=[])


def test_a_watcher_sees_a_job_from_its_state_now_to_its_end(
    address: str, store: JobStore, post: Post, finish: Finish
) -> None:
    job_id = post()
    with watched(address, job_id) as events:
        first = next(events)
        assert (first["event"], first["data"]["status"], first["data"]["position"]) == ("state", "queued", 1)
        assert first["data"] == httpx.get(f"{address}/v1/jobs/{job_id}").json()
        attempt = store.start(job_id, worker="test")
        assert next(events)["data"]["status"] == "running"
        progress(store, job_id, attempt, 4)
        told = next(events)
        assert (told["event"], told["data"]["progress"]["fraction"]) == ("progress", 0.4)
        assert told["data"]["partial_curve"] == []
        finish(job_id)
        rest = list(events)
    assert rest[-1]["data"]["status"] == "succeeded"
    assert rest[-1]["data"]["links"]["result"] == f"/v1/jobs/{job_id}/result"


def test_an_event_is_there_at_once(address: str, store: JobStore, post: Post) -> None:
    job_id = post()
    attempt = store.start(job_id, worker="test")
    with watched(address, job_id) as events:
        next(events)
        started = time.monotonic()
        for iteration in range(10):
            progress(store, job_id, attempt, iteration)
            assert next(events)["data"]["progress"]["iteration"] == iteration
    assert time.monotonic() - started < 5  # ten waits for a look would take longer


def test_who_comes_back_misses_nothing(address: str, store: JobStore, post: Post, finish: Finish) -> None:
    job_id = post()
    attempt = store.start(job_id, worker="test")
    with watched(address, job_id) as events:
        seen = next(events)["id"]
    for iteration in (1, 2):
        progress(store, job_id, attempt, iteration)
    with watched(address, job_id, after=seen) as events:
        missed = [next(events), next(events)]
        assert [event["data"]["progress"]["iteration"] for event in missed] == [1, 2]
    finish(job_id)
    with watched(address, job_id, after=missed[-1]["id"]) as events:
        [*_, last] = list(events)
    assert last["data"]["status"] == "succeeded"
    again = httpx.get(f"{address}/v1/jobs/{job_id}/events", headers={"Last-Event-ID": last["id"]})
    assert (again.status_code, again.content) == (204, b"")


def test_of_a_finished_job_its_state_is_told(address: str, post: Post, finish: Finish) -> None:
    job_id = post()
    finish(job_id)
    with watched(address, job_id) as events:
        assert [event["data"]["status"] for event in events] == ["succeeded"]


def test_a_removed_job_ends_the_stream(address: str, post: Post) -> None:
    job_id = post()
    with watched(address, job_id) as events:
        next(events)
        httpx.delete(f"{address}/v1/jobs/{job_id}")
        assert [event["event"] for event in events] == ["deleted"]


def test_a_job_that_redis_lost_ends_the_stream(
    address: str, redis: Redis, store: JobStore, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.jobs.events.KEEP_ALIVE_S", 0.5)
    job_id = post()
    with watched(address, job_id) as events:
        next(events)
        redis.delete(event_key(job_id), f"ep:job:{job_id}")
        assert [event["event"] for event in events] == ["deleted"]


def test_silence_is_filled_with_comments(address: str, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.jobs.events.KEEP_ALIVE_S", 0.5)
    url = f"{address}/v1/jobs/{post()}/events"
    with httpx.stream("GET", url, timeout=10) as answer:
        assert next(line for line in answer.iter_lines() if line.startswith(":")) == ": keep-alive"


def test_many_watchers_see_the_same_and_others_are_answered(
    address: str, store: JobStore, post: Post, finish: Finish
) -> None:
    job_id = post()
    seen: list[list[str]] = []
    all_watch = threading.Barrier(61)

    def watch() -> None:
        with watched(address, job_id) as events:
            states = [next(events)["data"]["status"]]
            all_watch.wait(20)
            seen.append(states + [event["data"]["status"] for event in events if event["event"] == "state"])

    watchers = [threading.Thread(target=watch) for _ in range(60)]
    for watcher in watchers:
        watcher.start()
    all_watch.wait(20)
    asked = time.monotonic()
    assert httpx.get(f"{address}/v1/models", timeout=20).status_code == 200
    assert time.monotonic() - asked < 1.5
    finish(job_id)
    for watcher in watchers:
        watcher.join(20)
    assert len(seen) == 60
    assert all(states[0] == "queued" and states[-1] == "succeeded" for states in seen)


def test_watchers_hold_no_connections_to_redis(
    address: str, redis: Redis, store: JobStore, post: Post, finish: Finish
) -> None:
    job_ids = [post() for _ in range(10)]
    host, port = address.removeprefix("http://").split(":")
    connected = redis.info("clients")["connected_clients"]
    with ExitStack() as running:
        sockets = []
        for k in range(400):
            one = running.enter_context(socket.create_connection((host, int(port)), timeout=20))
            one.sendall(f"GET /v1/jobs/{job_ids[k % 10]}/events HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            sockets.append(one)
        for one in sockets:
            assert b"queued" in read_until(one, b"\r\n\r\n", b"queued")
        assert redis.info("clients")["connected_clients"] < connected + 70  # of quick commands; they are a pool
        asked = time.monotonic()
        assert httpx.get(f"{address}/v1/jobs/{job_ids[0]}", timeout=20).status_code == 200
        assert time.monotonic() - asked < 1
        for job_id in job_ids:
            finish(job_id)
        for one in sockets:
            assert b"succeeded" in read_until(one, b"succeeded")


def read_until(connection: socket.socket, *wanted: bytes) -> bytes:
    """Read until all of these have come."""
    found = b""
    while not all(one in found for one in wanted):
        more = connection.recv(65536)
        assert more, found
        found += more
    return found


def test_who_is_too_far_behind_ends_and_comes_back() -> None:
    listener = Listener()
    for k in range(MOST_WAITING + 1):
        listener.give([(f"{k}-0".encode(), {})])
    assert listener.is_over


def test_an_unknown_job_and_a_wrong_id_are_problems(address: str, post: Post) -> None:
    unknown = httpx.get(f"{address}/v1/jobs/{'0' * 32}/events")
    wrong = httpx.get(f"{address}/v1/jobs/{post()}/events", headers={"Last-Event-ID": "yesterday"})
    assert (unknown.status_code, wrong.status_code) == (404, 422)
    assert wrong.json()["errors"][0]["field"] == "last-event-id"


def test_a_failed_job_says_why(address: str, store: JobStore, post: Post) -> None:
    job_id = post()
    with watched(address, job_id) as events:
        next(events)
        store.start(job_id, worker="test")
        store.finish(job_id, JobState.FAILED)
        assert list(events)[-1]["data"]["status"] == "failed"
