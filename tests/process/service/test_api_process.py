"""The API as its own process: uploads that never end, Redis coming and going, stopping, a taken port."""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from redis import Redis

from ep_core.schemas.model_card import ModelCard
from service.run.embedded_redis import EmbeddedRedis
from tests.redis_faults import full_disk
from worker.broker import catalogue
from worker.broker.liveness import beat
from worker.broker.queue import connect

from .processes import run_api
from .refusing import refusal, refusal_of_a_process


@pytest.fixture(scope="module")
def api(redis_server: EmbeddedRedis, cards: list[ModelCard]) -> Iterator[str]:
    with Redis.from_url(redis_server.url) as redis:
        redis.flushall()
        catalogue.publish(redis, cards)
    with run_api(redis_server.url, EP_MAX_UPLOAD_BYTES="1000000", EP_MAX_TOTAL_UPLOAD_BYTES="2000000") as (_, address):
        yield address


@pytest.mark.parametrize("start", ["multipart", "json"])
def test_an_endless_upload_is_cut_off(api: str, start: str) -> None:
    """Nothing declares the length, and the client never stops sending."""
    kind, head = {
        "multipart": (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n',
        ),
        "json": ("application/json", b'{"image": "'),
    }[start]
    host, port = api.removeprefix("http://").split(":")
    sent = 0
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(
            f"POST /v1/jobs HTTP/1.1\r\nHost: [::1]\r\nContent-Type: {kind}\r\n".encode()
            + b"Transfer-Encoding: chunked\r\n\r\n"
        )
        with suppress(ConnectionError):  # the server closes while we send
            for data in itertools.chain([head], itertools.repeat(b"A" * 65536)):
                connection.sendall(b"%x\r\n%s\r\n" % (len(data), data))
                sent += len(data)
                assert sent < 20_000_000, "the server reads on and on"
        answer = connection.makefile("rb").readline()
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_declared_length_over_the_limit_is_refused_unread(api: str) -> None:
    host, port = api.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(
            b"POST /v1/jobs HTTP/1.1\r\nHost: [::1]\r\nContent-Type: application/json\r\n"
            b"Content-Length: 9999999999\r\nExpect: 100-continue\r\n\r\n"
        )
        answer = connection.recv(100_000)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in answer


def test_an_ordinary_client_reads_the_413(api: str) -> None:
    answer = httpx.post(f"{api}/v1/jobs", files={"image": b"\xff" * 5_000_000})

    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/upload-too-large")


def test_a_kept_connection_answers_at_once(api: str) -> None:
    with httpx.Client(base_url=api) as client:
        quickest = min(client.get("/healthz").elapsed.total_seconds() for _ in range(50))

    assert quickest < 0.02


def test_a_client_that_leaves_during_its_upload_does_no_harm(api: str) -> None:
    host, port = api.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(
            b"POST /v1/jobs HTTP/1.1\r\nHost: [::1]\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{"
        )
    assert httpx.get(f"{api}/v1/models").status_code == 200


def test_without_redis_the_api_lives_says_503_and_recovers(tmp_path: Path, png: bytes, cards: list[ModelCard]) -> None:
    server = EmbeddedRedis(tmp_path)
    with run_api(server.url) as (process, address):  # Redis has not been started yet
        try:
            _assert_unavailable(address, png)
            for _ in range(2):
                server.start()
                with Redis.from_url(server.url) as redis:
                    catalogue.publish(redis, cards)
                answer = httpx.post(f"{address}/v1/jobs", files={"image": png})
                assert answer.status_code == 202
                assert httpx.get(address + answer.headers["location"]).status_code == 200
                server.stop()
                _assert_unavailable(address, png)
            assert process.alive
        finally:
            server.stop()


def test_a_redis_that_hangs_is_a_503_in_time(tmp_path: Path, png: bytes, cards: list[ModelCard]) -> None:
    with EmbeddedRedis(tmp_path) as server, run_api(server.url) as (_, address), Redis.from_url(server.url) as redis:
        catalogue.publish(redis, cards)
        pid = int(redis.info("server")["process_id"])
        os.kill(pid, signal.SIGSTOP)
        try:
            _assert_unavailable(address, png, paths=[("GET", "/readyz"), ("POST", "/v1/jobs")])
        finally:
            os.kill(pid, signal.SIGCONT)
        assert httpx.post(f"{address}/v1/jobs", files={"image": png}).status_code == 202


def test_on_a_full_disk_the_api_says_503_and_makes_no_half_jobs(
    tmp_path: Path, png: bytes, cards: list[ModelCard]
) -> None:
    with EmbeddedRedis(tmp_path) as server, run_api(server.url) as (_, address), connect(server.url) as redis:
        catalogue.publish(redis, cards)
        beat(redis, "a worker", ttl_s=600)
        accepted = [httpx.post(f"{address}/v1/jobs", files={"image": png}).json()["id"]]
        assert httpx.get(f"{address}/readyz").status_code == 200
        with full_disk(server):
            key = {"Idempotency-Key": "once"}
            _assert_unavailable(address, png, paths=[("GET", "/readyz"), ("POST", "/v1/jobs")])
            assert httpx.post(f"{address}/v1/jobs", files={"image": png}, headers=key).status_code == 503
        accepted.append(httpx.post(f"{address}/v1/jobs", files={"image": png}, headers=key).json()["id"])
        assert httpx.get(f"{address}/readyz").status_code == 200
        jobs = httpx.get(f"{address}/v1/jobs").json()["jobs"]
        assert sorted(job["id"] for job in jobs) == sorted(accepted)
        assert redis.zcard("ep:jobs:queued") == redis.llen("rq:queue:extremal") == len(accepted)
        assert len(list(redis.scan_iter("ep:blobs:*"))) == len(accepted)


ASKS_REDIS = [("GET", "/readyz"), ("GET", f"/v1/jobs/{'0' * 32}"), ("GET", "/v1/models"), ("POST", "/v1/jobs")]


IN_TIME_S = 3.0
TRIES = 4
"""The quickest of so many counts: a machine that is busy for a moment delays one of them."""


def _assert_unavailable(address: str, png: bytes, paths: list[tuple[str, str]] = ASKS_REDIS) -> None:
    assert httpx.get(f"{address}/healthz", timeout=20).status_code == 200
    for method, path in paths:
        files = {"image": png} if method == "POST" else None
        took: list[float] = []
        while not took or (took[-1] >= IN_TIME_S and len(took) < TRIES):
            started = time.monotonic()
            answer = httpx.request(method, address + path, files=files, timeout=20)
            took.append(time.monotonic() - started)
            assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
            assert int(answer.headers["retry-after"]) > 0
        assert min(took) < IN_TIME_S


@pytest.mark.parametrize(("trusted", "granted"), [({}, 30), ({"EP_TRUSTED_PROXIES": "10.0.0.0/8, 127.0.0.1"}, 40)])
def test_only_proxies_that_the_operator_names_say_who_asks(
    redis: Redis, redis_server: EmbeddedRedis, trusted: dict[str, str], granted: int
) -> None:
    with run_api(redis_server.url, EP_RATE_LIMIT="30/minute", **trusted) as (_, address), httpx.Client() as client:
        statuses = [
            client.get(f"{address}/v1/jobs", headers={"X-Forwarded-For": f"203.0.113.{k}"}).status_code
            for k in range(40)
        ]
    assert statuses == [200] * granted + [429] * (40 - granted)


def test_stopping_answers_clients_that_wait(redis_server: EmbeddedRedis, png: bytes, cards: list[ModelCard]) -> None:
    with Redis.from_url(redis_server.url) as redis:
        catalogue.publish(redis, cards)
    answers: list[httpx.Response] = []

    def post() -> None:
        answers.append(
            httpx.post(f"{address}/v1/jobs", files={"image": png}, headers={"Prefer": "wait=60"}, timeout=70)
        )

    with run_api(redis_server.url) as (process, address):
        client = threading.Thread(target=post)
        client.start()
        deadline = time.monotonic() + 30
        while not httpx.get(f"{address}/v1/jobs").json()["jobs"]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.terminate()
        client.join(timeout=30)  # without an answer at the end it would wait for a minute
        log = process.end()

    assert process.exit_code in (0, -signal.SIGTERM)
    assert [(a.status_code, a.json()["status"]) for a in answers] == [(202, "queued")]
    assert f'"request_id": "{answers[0].headers["x-request-id"]}"' in log
    assert "Traceback" not in log


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, True), (0o604, True)])
def test_a_keys_file_that_others_can_read_is_warned_of(
    redis: Redis, redis_server: EmbeddedRedis, tmp_path: Path, mode: int, warned: bool
) -> None:
    keys = tmp_path / "keys.toml"
    keys.write_text("")
    keys.chmod(mode)
    with run_api(redis_server.url, EP_API_KEYS_FILE=str(keys)) as (process, _):
        process.terminate()
        log = process.end()
    assert ("others can read the API keys' file" in log) == warned


def test_a_proxy_that_is_no_address_is_one_clear_line() -> None:
    assert "EP_TRUSTED_PROXIES" in refusal(EP_TRUSTED_PROXIES="10.0.0.0/8, my-proxy")


def test_a_taken_port_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        said = refusal(EP_PORT=port)
    assert port in said
    assert "EP_PORT" in said


def test_wrong_settings_are_one_clear_line() -> None:
    said = refusal_of_a_process(EP_PORT="eighty")
    assert said.startswith("ep api: settings: EP_PORT")


def test_an_unforeseen_error_is_logged_with_its_trace_and_request_id(redis_server: EmbeddedRedis) -> None:
    with Redis.from_url(redis_server.url) as redis, run_api(redis_server.url) as (process, address):
        redis.set(f"ep:job:{'e' * 32}", "no record")  # nothing of ours writes that
        answer = httpx.get(f"{address}/v1/jobs/{'e' * 32}")
        process.terminate()
        log = process.end()

    assert answer.status_code == 500
    (line,) = [line for line in log.splitlines() if "Traceback" in line]
    assert json.loads(line)["request_id"] == answer.json()["request_id"]
