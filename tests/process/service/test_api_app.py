"""The rest of the API: models, health, pages, errors of routing, and what `import service.app` drags in."""

from __future__ import annotations

import re
import subprocess
import sys
from urllib.parse import urljoin

import pytest
from fastapi.testclient import TestClient
from redis import Redis

from ep_core.schemas.model_card import ModelCard
from ep_core.schemas.trained import Accuracy
from service.models.schemas import ModelList, ModelRead
from worker.broker import catalogue, stepping
from worker.broker.liveness import beat
from worker.broker.stepping import Stepping


def test_importing_the_app_loads_no_torch_and_connects_to_nothing() -> None:
    code = (
        "import socket, sys\n"
        "socket.socket.connect = lambda *_: sys.exit('connected')\n"
        "import service.app, service.__main__\n"
        "service.app.create_app()\n"
        "heavy = {'torch', 'torchvision', 'timm', 'matplotlib', 'scipy'} & set(sys.modules)\n"
        "heavy |= {'transformers', 'open_clip'} & set(sys.modules)\n"
        "heavy |= {'opentelemetry.exporter', 'opentelemetry.instrumentation'} & set(sys.modules)\n"  # redis loads more
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr


def test_models_are_listed_without_labels_and_shown_with_them(client: TestClient, cards: list[ModelCard]) -> None:
    listed = ModelList.model_validate(client.get("/v1/models").json())

    assert [(m.name, m.classes) for m in listed.models] == [(card.name, len(card.labels)) for card in cards]
    assert listed.default == "mobilenet_v2"
    assert "labels" not in client.get("/v1/models").text
    for model, card in zip(listed.models, cards, strict=True):
        shown = ModelRead.model_validate(client.get(model.link).json())
        assert (shown.name, shown.labels) == (card.name, card.labels)


def test_a_model_says_how_large_and_how_good_its_weights_are(
    client: TestClient, redis: Redis, cards: list[ModelCard]
) -> None:
    facts = {"parameters": 3_504_872, "weight_bytes": 14_213_448, "weights_here": False}
    accuracy = Accuracy(value=0.71878, measure="top1", data="ImageNet-1K")
    catalogue.publish(redis, [cards[0].model_copy(update=facts | {"accuracy": accuracy}), cards[1]])
    (listed, unknown), alone = client.get("/v1/models").json()["models"], client.get("/v1/models/mobilenet_v2").json()
    for shown in (listed, alone):
        assert {name: shown[name] for name in facts} == facts
        assert shown["accuracy"] == {"value": 0.71878, "measure": "top1", "data": "ImageNet-1K"}
    assert {unknown[name] for name in (*facts, "accuracy")} == {None}
    catalogue.publish_loaded(redis, "mobilenet_v2")
    assert client.get("/v1/models").json()["models"][0]["weights_here"] is True
    assert client.get("/v1/models/mobilenet_v2").json()["weights_here"] is True


def test_an_unknown_model_names_the_nearest(client: TestClient) -> None:
    answer = client.get("/v1/models/mobilenet")

    assert (answer.status_code, answer.json()["nearest"]) == (404, ["mobilenet_v2"])


def test_before_any_worker_there_are_no_models(client: TestClient, redis: Redis) -> None:
    catalogue.publish(redis, [])

    assert client.get("/v1/models").json()["models"] == []
    assert client.get("/v1/models/mobilenet_v2").status_code == 503


def test_ready_means_that_a_worker_lives(client: TestClient, redis: Redis) -> None:
    without = client.get("/readyz")
    beat(redis, "w1", ttl_s=5)
    with_worker = client.get("/readyz")

    assert (without.status_code, without.headers["retry-after"]) == (503, "5")
    assert "worker" in without.json()["detail"]
    assert (with_worker.status_code, with_worker.json()) == (
        200,
        {"status": "ready", "workers": 1, "queued": 0, "running": 0, "sharing": None},
    )
    for name in ("w1", "w2"):
        beat(redis, name, ttl_s=5)
        stepping.tell(redis, name, Stepping(jobs=3, batches_per_s=1.5, lanes_per_s=18, rows_per_s=24))
    assert client.get("/readyz").json()["sharing"] == {"jobs": 6, "masks": 12, "steps_per_s": 3, "filled": 0.75}
    assert client.get("/healthz").json() == {"status": "alive"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("GET", "/v1/nowhere", 404), ("PUT", "/v1/jobs", 405), ("POST", "/healthz", 405)],
)
def test_what_isnt_there_is_a_problem(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)

    assert answer.status_code == answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].startswith("/problems/")
    assert status != 405 or answer.headers["allow"]


def test_an_unforeseen_error_shows_its_request_id_and_no_trace(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> int:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("service.observe.health.live_workers", fail)
    answer = client.get("/readyz", headers={"X-Request-ID": "0f8fad5bd9cb469fa165708677289501"})

    assert answer.status_code == 500
    assert answer.json()["type"] == "/problems/internal-error"
    assert answer.json()["request_id"] == answer.headers["x-request-id"] == "0f8fad5bd9cb469fa165708677289501"
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    "forged",
    ["a b", "{" * 999 + "0" * 32, "urn:uuid:" + "0" * 32, "0" * 31, "0" * 33, "-".join("0" * 32), "0x" + "0" * 30],
)
def test_a_request_id_that_could_forge_log_lines_is_replaced(client: TestClient, forged: str) -> None:
    given = client.get("/healthz", headers={"X-Request-ID": forged}).headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{32}", given)
    assert given != forged


@pytest.mark.parametrize("page", ["/", "/docs", "/redoc"])
def test_pages_load_nothing_from_other_hosts(client: TestClient, page: str) -> None:
    html = client.get(page).text

    loaded = re.findall(r'(?:<script[^>]*src|<link[^>]*href|<img[^>]*src)="([^"]+)"', html)
    assert page == "/" or loaded
    for address in loaded:
        assert "//" not in address, address
        assert address.startswith("data:") or client.get(urljoin(page, address)).status_code == 200


def test_the_page_is_asked_for_again_only_when_it_has_changed(client: TestClient) -> None:
    for path in ("/", "/static/main.js"):
        first = client.get(path)
        again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
        assert first.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["", "nothing.js", "../endpoints.py", "%2e%2e/endpoints.py", "/etc/passwd"])
def test_only_the_pages_own_files_are_served(client: TestClient, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/jobs", "DELETE, GET, HEAD, POST"),
        ("/v1/jobs/0", "DELETE, GET, HEAD"),
        ("/healthz", "GET, HEAD"),
        ("/", "GET, HEAD"),
    ],
)
def test_a_refused_method_comes_with_all_that_the_address_takes(client: TestClient, path: str, methods: str) -> None:
    """RFC 9110, 15.5.6; also where each method is an endpoint of its own."""
    assert client.options(path).headers["allow"] == methods
