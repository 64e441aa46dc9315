"""Below a path of a proxy's: every address that an answer names leads back through that proxy."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from fastapi.testclient import TestClient
from redis import Redis

from service.app import create_app
from service.http.prefix import check_prefix
from service.run.embedded_redis import EmbeddedRedis
from service.settings import ApiSettings
from tests.proxy import Proxy

from .processes import run_api
from .refusing import refusal

SET = {"EP_ROOT_PATH": "/explain/"}
TRUSTED = {"EP_TRUSTED_PROXIES": "127.0.0.0/8"}
SAYS = {"X_Forwarded_Prefix": "/explain"}
Finish = Callable[[str], None]


@pytest.fixture(scope="module", params=["set, cut off", "set, left on", "told, cut off", "told, left on"])
def proxy(request: pytest.FixtureRequest, redis_server: EmbeddedRedis) -> Iterator[Proxy]:
    """A proxy that shows a running API below `/explain`; asking beside that fails the tests."""
    is_told, cuts = "told" in request.param, "cut" in request.param
    with (
        run_api(redis_server.url, **(TRUSTED if is_told else SET)) as (_, address),
        Proxy(address, cuts=cuts, **(SAYS if is_told else {})) as running,
    ):
        yield running
        assert running.missed == []


@pytest.fixture
def outside(proxy: Proxy, redis: Redis) -> Iterator[httpx.Client]:
    """A client that knows nothing but the proxy."""
    with httpx.Client(base_url=proxy.url, timeout=20) as client:
        yield client


def addresses(node: Any) -> Iterator[str]:
    """Yield what looks like an address in a JSON value."""
    if isinstance(node, dict | list):
        for value in node.values() if isinstance(node, dict) else node:
            yield from addresses(value)
    elif isinstance(node, str) and node.startswith("/"):
        yield node


def test_whatever_answers_name_is_found_through_the_proxy(outside: httpx.Client, png: bytes, finish: Finish) -> None:
    form = {"params": '{"areas": [0.05, 0.1, 0.2]}'}
    made = outside.post("/explain/v1/jobs", files={"image": png}, data=form)
    batch = outside.post("/explain/v1/batches", files={"image": png}, data={"params": '{"seed": 1}'})
    finish(made.json()["id"])
    found = {made.headers["location"], batch.headers["location"], "/explain/v1/models", "/explain/v1/jobs?limit=1"}
    asked: set[str] = set()
    while left := found - asked:
        address = left.pop()
        asked.add(address)
        answer = outside.head(address) if address.endswith("/events") else outside.get(address)
        assert answer.status_code == 200, address
        if answer.headers["content-type"] == "application/json":
            found |= set(addresses(answer.json()))
    assert len(asked) > 20
    assert any("cursor=" in address for address in asked)


def test_events_name_it_too(outside: httpx.Client, png: bytes, finish: Finish) -> None:
    job = outside.post("/explain/v1/jobs", files={"image": png}, data={"params": '{"areas": [0.05, 0.1, 0.2]}'}).json()
    finish(job["id"])
    data = re.findall("^data: (.*)$", outside.get(job["links"]["events"]).text, re.MULTILINE)
    assert json.loads(data[-1])["links"]["result"] == f"/explain/v1/jobs/{job['id']}/result"


@pytest.mark.parametrize("page", ["/explain", "/explain/", "/explain/docs", "/explain/redoc"])
def test_pages_find_their_files(outside: httpx.Client, page: str) -> None:
    shown = outside.get(page)
    base = re.search('<base href="([^"]+)"', shown.text)
    loaded = re.findall(r'(?:<script[^>]*src|<link[^>]*href|<img[^>]*src|<a[^>]*href)="([^"#]+)"', shown.text)
    loaded += re.findall(r"(?:url: '|spec-url=\")([^'\"]+)", shown.text)
    assert len(loaded) >= 3
    for address in loaded:
        target = urljoin(urljoin(page, base.group(1) if base else ""), address)
        assert address.startswith("data:") or outside.get(target).status_code == 200, target
    assert "default-src" in shown.headers["content-security-policy"]
    assert ("base-uri 'self'" in shown.headers["content-security-policy"]) == (base is not None)


def test_the_document_says_where_the_service_is(outside: httpx.Client) -> None:
    assert outside.get("/explain/openapi.json").json()["servers"] == [{"url": "/explain"}]
    assert "See /explain/docs" in outside.get("/explain/v1/nothing").json()["detail"]
    assert "Without the slash" in outside.get("/explain/v1/jobs/").json()["detail"]


def test_probes_need_no_prefix(redis: Redis, redis_server: EmbeddedRedis) -> None:
    """The operator's machines come without the proxy."""
    with run_api(redis_server.url, **SET) as (process, address):
        direct = [httpx.get(address + path) for path in ("/healthz", "/", "/explain/healthz")]
        process.terminate()
        log = process.end()
    assert [answer.status_code for answer in direct] == [200, 200, 200]
    assert '"path": "/"' in log
    assert "/explain/" not in log


Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask(redis: Redis, settings: ApiSettings) -> Iterator[Ask]:
    """A function that asks an API for its page of jobs, with settings and headers, as who comes from 10.0.0.7."""
    with ExitStack() as running:

        def get(headers: dict[str, str], **changes: object) -> httpx.Response:
            app = create_app(settings.model_copy(update=changes))
            client = TestClient(app, base_url="http://127.0.0.1", client=("10.0.0.7", 1))
            return running.enter_context(client).get("/v1/nothing", headers=headers)

        yield get


def says(answer: httpx.Response) -> str:
    found = re.search(r"See (.*)/docs", answer.json()["detail"])
    assert found is not None
    return found[1]


@pytest.mark.parametrize("trusted", [None, ("10.0.0.8",), ("192.168.0.0/16", "::1")])
def test_others_than_trusted_proxies_are_not_believed(ask: Ask, trusted: tuple[str, ...] | None) -> None:
    assert says(ask({"X-Forwarded-Prefix": "/x"}, trusted_proxies=trusted)) == ""


@pytest.mark.parametrize("trusted", [("10.0.0.7",), ("10.0.0.9/8",), ("*",), ("127.0.0.1", "*")])
def test_trusted_proxies_are(ask: Ask, trusted: tuple[str, ...]) -> None:
    headers = {"X-Forwarded-Prefix": "/x/", "X-Forwarded-For": "203.0.113.1"}
    assert says(ask(headers, trusted_proxies=trusted)) == "/x"


@pytest.mark.parametrize(
    ("sent", "prefix"), [("/a, /b/", "/a/b"), ("/", ""), ("/a, /", "/a"), ("/a.b_c~d-e", "/a.b_c~d-e")]
)
def test_several_proxies_say_it_one_after_the_other(ask: Ask, sent: str, prefix: str) -> None:
    assert says(ask({"X-Forwarded-Prefix": sent}, trusted_proxies=("*",))) == prefix


NO_PREFIXES = ["//evil.example", "https://evil.example", "/a//b", "/../b", "/a/..", "x", "/a b", '/"><script>', "/a?b"]
NO_PREFIXES += [
    "/%2e%2e",
    "/\\evil.example",
    "/v1",
    "/docs/x",
    "/readyz",
    "/v1" + "/" * 300,
    "/" + "a" * 200,
    "/a\x1b[31m",
]


@pytest.mark.parametrize("sent", NO_PREFIXES)
def test_what_is_no_path_leads_nowhere(ask: Ask, sent: str) -> None:
    assert says(ask({"X-Forwarded-Prefix": sent}, trusted_proxies=("*",))) == ""
    with pytest.raises(ValueError, match="path"):
        check_prefix(sent)


def test_the_setting_goes_before_what_proxies_say(ask: Ask) -> None:
    """A proxy that doesn't know the header passes on what a client has sent."""
    assert says(ask({"X-Forwarded-Prefix": "/x"}, trusted_proxies=("*",), root_path="/explain")) == "/explain"


def test_a_setting_that_is_no_path_is_one_clear_line() -> None:
    assert "EP_ROOT_PATH: 'explain' is no path: write it as /explain" in refusal(EP_ROOT_PATH="explain")
