"""HEAD: what GET answers, without the body, at every address; over real connections where that matters."""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient
from redis import Redis

from service.app import create_app
from service.settings import ApiSettings

OF_THE_MOMENT = {"x-request-id", "date", "ratelimit-reset"}
PAGES = ("/", "/static/main.js", "/docs", "/docs/swagger-ui.css", "/redoc", "/openapi.json")
FILLED = {
    "{area}": "0.1",
    "{index}": "0",
    "{name}": "mobilenet_v2",
    "{method}": "grad_cam",
    "/inversions/mobilenet_v2": "/inversions/full",
}


@pytest.fixture
def every_get(client: TestClient, png: bytes, finish: Callable[[str], None]) -> list[str]:
    """An address of each operation that is a GET, of a finished job and a batch, and the pages."""
    form = {"params": '{"areas": [0.05, 0.1, 0.2]}', "keep_images": "true"}
    job = client.post("/v1/jobs", files={"image": png}, data=form).json()["id"]
    batch = client.post("/v1/batches", files={"image": png}, data={"params": '{"seed": 1}'}).json()["id"]
    finish(job)
    paths = [path for path, methods in client.get("/openapi.json").json()["paths"].items() if "get" in methods]
    assert len(paths) > 15
    filled = []
    for path in paths:
        for name, value in ({"{job_id}": job, "{batch_id}": batch} | FILLED).items():
            path = path.replace(name, value)
        filled.append(path)
    return [*filled, *PAGES, f"/v1/jobs/{job}/images/0?size=64", "/v1/jobs?limit=0", f"/v1/jobs/{'0' * 32}", "/nothing"]


def headers_of(answer: Any) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in OF_THE_MOMENT}


def test_every_get_answers_head_with_the_same_headers(client: TestClient, every_get: list[str]) -> None:
    counted = 0
    for address in every_get:
        get, head = client.get(address), client.head(address)
        assert (head.status_code, head.content) == (get.status_code, b""), address
        if not address.startswith(("/metrics", "/v1/jobs?")):  # their bodies change between the two
            assert headers_of(head) == headers_of(get), address
        counted += head.status_code == 200
    assert counted > 15


def test_what_is_known_already_is_a_304(client: TestClient) -> None:
    known = client.head("/v1/models").headers["etag"]
    assert client.head("/v1/models", headers={"If-None-Match": known}).status_code == 304


def test_an_address_without_get_refuses_head(client: TestClient) -> None:
    refused = client.head("/v1/classify")
    assert (refused.status_code, refused.headers["allow"], refused.content) == (405, "POST", b"")


def test_the_document_stays_lean(client: TestClient) -> None:
    assert all("head" not in methods for methods in client.get("/openapi.json").json()["paths"].values())


def test_it_is_counted_under_its_name_and_route(redis: Redis, settings: ApiSettings) -> None:
    limited = settings.model_copy(update={"rate_limit": "2/minute"})
    with TestClient(create_app(limited), base_url="http://127.0.0.1") as client:
        statuses = [client.head(f"/v1/jobs/{'0' * 32}").status_code for _ in range(3)]
        told = client.get("/metrics").text
    assert statuses == [404, 404, 429]
    row = r'ep_http_requests_total\{method="HEAD",route="/v1/jobs/\{job_id\}",status="4xx"\} 3.0'
    assert re.search(row, told)


def test_a_page_of_a_listed_origin_may_ask_with_its_key(redis: Redis, settings: ApiSettings) -> None:
    listed = settings.model_copy(update={"cors_origins": ("https://app.example",)})
    asked = {"Access-Control-Request-Method": "HEAD", "Access-Control-Request-Headers": "authorization"}
    with TestClient(create_app(listed), base_url="http://127.0.0.1") as client:
        assert client.options("/v1/models", headers={"Origin": "https://app.example"} | asked).status_code == 200


@pytest.fixture
def served(redis: Redis, settings: ApiSettings) -> Iterator[tuple[int, Any]]:
    """The port of a running API, and its application."""
    app = create_app(settings)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield listener.getsockname()[1], app
        app.state.services.stopping.set()
        server.should_exit = True
        thread.join(20)


def test_a_stream_of_events_is_not_begun(served: tuple[int, Any], png: bytes) -> None:
    """The connection goes on at once, and nobody listens for events any more."""
    port, app = served
    with TestClient(create_app(app.state.services.settings), base_url="http://127.0.0.1") as client:
        job = client.post("/v1/jobs", files={"image": png}).json()["links"]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with closing(connection):
        for _ in range(20):  # more than may be worked on at once
            connection.request("HEAD", job["events"])
            head = connection.getresponse()
            assert (head.status, head.read()) == (200, b"")
            assert head.headers["content-type"].startswith("text/event-stream")
        connection.request("GET", job["self"])
        assert json.load(connection.getresponse())["status"] == "queued"
    deadline = time.monotonic() + 5
    while any(app.state.services.events._listeners.values()):
        assert time.monotonic() < deadline, "somebody listens still"
        time.sleep(0.02)
