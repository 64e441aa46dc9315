"""`/v1/classify`: queries to the workers, their answers, and their silence."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi.testclient import TestClient
from redis import Redis

from service.access.keys import ApiKey, hash_key
from service.app import create_app
from service.classify.asking import QUERIES_EACH
from service.classify.examples import ANSWER, REQUEST_BODY
from service.settings import ApiSettings
from worker.broker import catalogue, classify_queries
from worker.broker.classify_queries import Classified, ClassifyQuery
from worker.broker.problems import make_problem, out_of_memory

from .answering import BEAR, FakeWorker
from .problems import problem_of
from .receivers import Answering, body, status


@pytest.fixture
def worker(redis: Redis) -> Iterator[FakeWorker]:
    worker = FakeWorker(redis)
    worker.start()
    yield worker
    worker.ending.set()
    worker.join(5)


@pytest.fixture
def make(redis: Redis, settings: ApiSettings) -> Iterator[Callable[..., TestClient]]:
    """A function that returns a client of an API with other settings."""
    running: list[TestClient] = []

    def make(**changes: object) -> TestClient:
        app = create_app(settings.model_copy(update=changes))
        running.append(TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False))
        return running[-1].__enter__()

    yield make
    for client in running:
        client.__exit__(None, None, None)


def left_in(redis: Redis) -> list[bytes]:
    return [key for key in redis.scan_iter() if key.startswith((b"ep:ask", b"ep:answer"))]


def test_a_form_is_answered(client: TestClient, worker: FakeWorker, png: bytes, redis: Redis) -> None:
    answer = client.post("/v1/classify", files={"image": png})

    assert answer.status_code == 200
    assert answer.json() == {"model": "mobilenet_v2", "classes": [BEAR.model_dump()], "warnings": []}
    ((query, image),) = worker.asked
    assert (query.model, query.top, query.fit, image) == ("mobilenet_v2", 5, "crop", png)
    assert left_in(redis) == []


def test_what_is_asked_reaches_the_worker(client: TestClient, worker: FakeWorker, png: bytes) -> None:
    fields = {"model": "timm:org/resnet10t.c3_in1k", "top": 20, "fit": "stretch"}
    form = client.post("/v1/classify", files={"image": png}, data=fields)
    body = client.post("/v1/classify", json={"image": base64.b64encode(png).decode(), **fields})

    assert (form.status_code, body.status_code) == (200, 200), body.text
    for query, image in worker.asked:
        assert query.model_dump(exclude={"id"}, exclude_none=True) == fields
        assert image == png


def test_an_image_by_address_is_fetched(make: Callable[..., TestClient], worker: FakeWorker, png: bytes) -> None:
    client = make(fetch_urls=True, allow_private_urls=True)
    with Answering(body(png)) as server, Answering(status(404)) as missing:
        form = client.post("/v1/classify", files={"image_url": (None, server.url), "top": (None, "2")})
        document = client.post("/v1/classify", json={"image_url": server.url, "top": 2})
        wrong = problem_of(client.post("/v1/classify", json={"image_url": missing.url}))

    assert (form.status_code, document.status_code) == (200, 200), document.text
    assert [(query.top, image) for query, image in worker.asked] == [(2, png)] * 2
    assert (wrong.status, wrong.errors[0].field) == (422, "image_url")
    assert "404" in wrong.detail


def test_addresses_are_off_by_default_and_one_image_is_all(client: TestClient, make: Callable[..., TestClient]) -> None:
    away = {"image_url": "https://pictures.test/a.png"}
    for sent in ({"json": away}, {"files": {"image_url": (None, away["image_url"])}}):
        problem = problem_of(client.post("/v1/classify", **sent))
        assert (problem.status, problem.errors[0].field) == (422, "image_url")
        assert "EP_FETCH_URLS" in problem.detail
    open_client = make(fetch_urls=True)
    for sent in ({"json": {"image": "QUJD", **away}}, {"files": {"image": b"ABC"}, "data": away}):
        assert "2 images: only one is taken" in problem_of(open_client.post("/v1/classify", **sent)).detail


@pytest.mark.parametrize("example", REQUEST_BODY["content"]["application/json"]["examples"].values())
def test_the_examples_are_what_they_say(client: TestClient, worker: FakeWorker, example: dict[str, Any]) -> None:
    assert client.post("/v1/classify", json=example["value"]).status_code == 200
    assert Classified.model_validate(ANSWER).classes[0].index == 295


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"top": "0"}, "top", "must be at least 1"),
        ({"top": "21"}, "top", "must be at most 20"),
        ({"top": "many"}, "top", "'many' is not a whole number"),
        ({"fit": "squeeze"}, "fit", "'crop', 'stretch' or 'whole'"),
        ({"model": ""}, "model", "at least 1 character"),
        ({"model": "mobilenet"}, "model", "mobilenet_v2"),
        ({"target": "1"}, "target", "no such"),
        ({"params": "{}"}, "params", "no such"),
    ],
)
@pytest.mark.parametrize("form", ["multipart", "json"])
def test_bad_fields_are_named(
    client: TestClient, png: bytes, fields: dict[str, str], field: str, says: str, form: str
) -> None:
    if form == "multipart":
        answer = client.post("/v1/classify", files={"image": png}, data=fields)
    else:
        typed = {name: int(value) if value.isdigit() and name == "top" else value for name, value in fields.items()}
        answer = client.post("/v1/classify", json={"image": base64.b64encode(png).decode(), **typed})

    problem = problem_of(answer)
    assert (problem.status, problem.errors[0].field) == (422, field)
    assert says in problem.detail
    assert "inside params" not in problem.detail


@pytest.mark.parametrize(
    ("sent", "status", "field", "says"),
    [
        ({"files": {"image": b"no picture"}}, 422, "image", "supported format"),
        ({"files": {"image": b"\xff" * 300_001}}, 413, "image", "300000 bytes"),
        ({"files": {"image": b"\xff" * 900_000}}, 413, "image", "300000"),
        ({"json": {"image": base64.b64encode(b"\xff" * 300_001).decode()}}, 413, "image", "300000 bytes"),
        ({"files": [("image", b"1"), ("image", b"2")]}, 422, "image", "2 images: only one"),
        ({"files": [("image", b"1")] * 20}, 422, "image", "only one"),
        ({"files": {"top": (None, "1")}}, 422, "image", "missing"),
        ({"json": {}}, 422, "image", "missing"),
        ({"json": {"image": "*"}}, 422, "image", "not base64"),
        ({"json": {"image": "QUJD", "top": "5"}}, 422, "top", "whole number"),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 422, "body", "not valid JSON"),
    ],
)
def test_bad_bodies(client: TestClient, sent: dict[str, Any], status: int, field: str, says: str) -> None:
    problem = problem_of(client.post("/v1/classify", **sent))

    assert (problem.status, problem.errors[0].field) == (status, field)
    assert says in problem.detail


def test_other_types_are_refused(client: TestClient, png: bytes) -> None:
    answer = client.post("/v1/classify", content=png, headers={"Content-Type": "image/png"})

    assert problem_of(answer).status == 415


def test_where_no_worker_answers_a_503_comes_in_time(make: Callable[..., TestClient], png: bytes, redis: Redis) -> None:
    client = make(classify_s=0.4)
    started = time.monotonic()
    answer = client.post("/v1/classify", files={"image": png})

    assert 0.3 < time.monotonic() - started < 8
    problem = problem_of(answer)
    assert (problem.status, problem.type) == (503, "/problems/unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert left_in(redis) == []


def test_a_client_that_leaves_is_no_failure_of_the_service(settings: ApiSettings, png: bytes, redis: Redis) -> None:
    app = create_app(settings.model_copy(update={"classify_s": 60}))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started)
        host, port = server.servers[0].sockets[0].getsockname()
        body = json.dumps({"image": base64.b64encode(png).decode()})
        head = f"POST /v1/classify HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
        with socket.create_connection((host, port)) as leaving:
            leaving.sendall(f"{head}content-length: {len(body)}\r\n\r\n{body}".encode())
            wait_until(lambda: left_in(redis))
        wait_until(lambda: not left_in(redis))
        counted = 'ep_http_requests_total{method="POST",route="/v1/classify",status='
        lines = wait_until(lambda: [line for line in metrics(host, port) if counted in line])
    finally:
        server.should_exit = True
        thread.join(20)
    assert [line.partition(counted)[2] for line in lines] == ['"4xx"} 1.0']


def metrics(host: str, port: int) -> list[str]:
    return httpx.get(f"http://{host}:{port}/metrics").text.splitlines()


def wait_until(holds: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 20
    while not (found := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def test_where_many_wait_the_next_does_not(client: TestClient, png: bytes, redis: Redis) -> None:
    for _ in range(classify_queries.MOST_WAITING):
        assert classify_queries.post(redis, ClassifyQuery(), b"image", wait_s=60)
    started = time.monotonic()
    answer = client.post("/v1/classify", files={"image": png})

    assert time.monotonic() - started < 8
    assert problem_of(answer).status == 503
    assert "100 images wait" in answer.json()["detail"]
    assert "retry-after" in answer.headers


def test_a_callers_many_questions_leave_room_for_others(
    make: Callable[..., TestClient], png: bytes, redis: Redis
) -> None:
    keys = tuple(ApiKey(name=name, sha256=hash_key(f"ep_{name}")) for name in ("ann", "bob"))
    client = make(api_keys=keys, classify_s=3.0)

    def ask(name: str) -> Any:
        return client.post("/v1/classify", files={"image": png}, headers={"X-API-Key": f"ep_{name}"})

    with ThreadPoolExecutor(30) as pool:
        many = [pool.submit(ask, "ann") for _ in range(20)]
        wait_for(lambda: redis.llen("ep:asks") == QUERIES_EACH)
        other = pool.submit(ask, "bob")
        wait_for(lambda: redis.llen("ep:asks") == QUERIES_EACH + 1)
        answers = [one.result() for one in (*many, other)]

    assert {problem_of(answer).status for answer in answers} == {503}  # there is no worker
    waited = [answer for answer in answers if f"{QUERIES_EACH} of your images wait" in answer.text]
    assert waited
    assert left_in(redis) == []


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_before_the_first_worker_a_503_comes_at_once(client: TestClient, png: bytes, redis: Redis) -> None:
    catalogue.publish(redis, [])

    assert problem_of(client.post("/v1/classify", files={"image": png})).status == 503


def test_a_workers_problem_is_the_answer(client: TestClient, worker: FakeWorker, png: bytes) -> None:
    worker.say = lambda _: make_problem("invalid-input", "the image is too elongated", field="image")
    answer = client.post("/v1/classify", files={"image": png})
    problem = problem_of(answer)
    assert (problem.status, problem.detail) == (422, "the image is too elongated")
    assert problem.errors[0].field == "image"
    assert problem.request_id == answer.headers["x-request-id"]

    worker.say = lambda _: out_of_memory()
    answer = client.post("/v1/classify", files={"image": png})
    assert problem_of(answer).type == "/problems/out-of-memory"
    assert "retry-after" in answer.headers


def test_keys_and_their_limits_hold(make: Callable[..., TestClient], worker: FakeWorker, png: bytes) -> None:
    key = ApiKey(name="ann", sha256=hash_key("ep_ann"), rate="2/minute", max_upload_bytes=len(png))
    client = make(api_keys=(key,))
    headers = {"Authorization": "Bearer ep_ann"}

    assert client.post("/v1/classify", files={"image": png}).status_code == 401
    assert client.post("/v1/classify", files={"image": png}, headers=headers).status_code == 200
    assert client.post("/v1/classify", files={"image": png + b"1"}, headers=headers).status_code == 413
    assert client.post("/v1/classify", files={"image": png}, headers=headers).status_code == 429


def test_the_document_declares_what_it_answers() -> None:
    operation = create_app().openapi()["paths"]["/v1/classify"]["post"]

    assert set(operation["responses"]) == {"200", "401", "403", "413", "415", "422", "429", "503"}
    assert operation["tags"] == ["models"]
    assert operation["responses"]["200"]["content"]["application/json"]["example"] == ANSWER
