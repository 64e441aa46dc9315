"""Requests of foreign pages and hosts: names that a client chooses, pages that don't say which they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import httpx
import pytest
from fastapi.testclient import TestClient
from redis import Redis

from service.access.keys import ApiKey, hash_key
from service.app import create_app
from service.run.embedded_redis import EmbeddedRedis
from service.settings import ApiSettings

from .processes import run_api

KEY = "ep_ann"
KEYS = (ApiKey(name="ann", sha256=hash_key(KEY)),)
ELSEWHERE = "evil.example"
PARAMS = '{"target": "\\u001b[31m"}'
Make = Callable[..., TestClient]


@pytest.fixture
def make(redis: Redis, settings: ApiSettings) -> Iterator[Make]:
    """A function that returns a client of an API with other settings."""
    running: list[TestClient] = []

    def make(**changes: object) -> TestClient:
        client = TestClient(create_app(settings.model_copy(update=changes)), base_url="http://127.0.0.1")
        running.append(client)
        return client.__enter__()

    yield make
    for client in running:
        client.__exit__(None, None, None)


class TestHost:
    @pytest.mark.parametrize("path", ["/v1/jobs/", "/v1/models/", "/healthz/", "/docs/", "/redoc/", "/static/"])
    @pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
    def test_nothing_leads_to_the_host_that_a_client_names(self, make: Make, method: str, path: str) -> None:
        answer = make(api_keys=KEYS).request(
            method, path, headers={"Host": ELSEWHERE, "X-API-Key": KEY}, follow_redirects=False
        )

        assert answer.status_code in (401, 404, 405)
        assert ELSEWHERE not in str(answer.headers) + answer.text

    def test_no_answer_names_it(self, make: Make, png: bytes) -> None:
        client = make(api_keys=KEYS)
        asked = {"Host": ELSEWHERE, "X-Forwarded-Host": ELSEWHERE, "X-API-Key": KEY}
        posted = client.post("/v1/jobs", files={"image": png}, headers=asked)
        answers = [posted, client.post("/v1/batches", files={"image": png}, headers=asked)]
        paths = ("/", "/docs", "/redoc", "/openapi.json", "/v1/jobs?limit=1", "/v1/models", "/v1/nothing")
        answers += [client.get(path, headers=asked) for path in (*paths, posted.headers["location"])]

        for answer in answers:
            assert ELSEWHERE not in str(answer.headers) + answer.text, answer.url
        assert [answer.headers["location"][:4] for answer in answers[:2]] == ["/v1/", "/v1/"]

    def test_a_slash_too_many_is_said(self, client: TestClient) -> None:
        answer = client.get("/v1/jobs/")

        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
        assert "Without the slash at its end there is" in answer.json()["detail"]
        assert "Without the slash" not in client.get("/v1/nothing/").json()["detail"]


def posted(client: TestClient, png: bytes, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/v1/jobs", files={"image": png}, headers=named)


class TestPagesThatDontSayWhichTheyAre:
    @pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
    def test_post_nothing(self, client: TestClient, png: bytes, redis: Redis, site: str) -> None:
        answer = posted(client, png, Sec_Fetch_Site=site)

        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/forbidden")
        assert site in answer.json()["detail"]
        assert "EP_CORS_ORIGINS" in answer.json()["detail"]
        assert not redis.keys("ep:job:*")

    @pytest.mark.parametrize("method", ["DELETE", "POST"])
    def test_ask_nothing_else_that_changes_something(self, client: TestClient, method: str) -> None:
        answer = client.request(method, f"/v1/jobs/{'0' * 32}", headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403

    def test_an_origin_that_is_no_address_is_refused_too(self, client: TestClient, png: bytes) -> None:
        assert posted(client, png, Origin="http://[").status_code == 403

    def test_may_read(self, client: TestClient) -> None:
        for method in ("GET", "HEAD"):
            assert client.request(method, "/v1/models", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200

    @pytest.mark.parametrize("site", ["same-origin", "none"])
    def test_our_own_page_and_users_are_taken(self, client: TestClient, png: bytes, site: str) -> None:
        assert posted(client, png, Sec_Fetch_Site=site).status_code == 202

    def test_those_of_listed_origins_are(self, make: Make, png: bytes) -> None:
        client = make(cors_origins=("https://app.example",))

        assert posted(client, png, Sec_Fetch_Site="cross-site", Origin="https://app.example").status_code == 202
        assert posted(client, png, Sec_Fetch_Site="cross-site").status_code == 403
        assert posted(make(cors_origins=("*",)), png, Sec_Fetch_Site="cross-site").status_code == 202

    def test_with_keys_none_has_its_visitors(self, make: Make, png: bytes) -> None:
        assert posted(make(api_keys=KEYS), png, Sec_Fetch_Site="cross-site", X_API_Key=KEY).status_code == 202


class TestLogs:
    def test_what_a_client_sends_is_escaped(self, redis: Redis, redis_server: EmbeddedRedis, png: bytes) -> None:
        with run_api(redis_server.url, EP_LOG_JSON="false", EP_TRUSTED_PROXIES="127.0.0.1") as (process, address):
            headers = dict.fromkeys(("User-Agent", "X-Request-ID", "X-Forwarded-For"), b"a\x9b2J")
            answers = [
                httpx.get(f"{address}/v1/%1b%5B31m"),
                httpx.get(f"{address}/v1/%1b%5B31m%0A2026%20%5Binfo%5D?%1b=%1b", headers=headers),
                httpx.get(f"{address}/v1/nothing", headers={"Host": b"\x9b31m"}),
                httpx.get(f"{address}/v1/nothing", headers={"X-Forwarded-Prefix": b"/\x9b31m"}),
                httpx.post(f"{address}/v1/jobs", files={"image": ("\x1b[31m\n.png", png)}, data={"params": PARAMS}),
            ]
            process.terminate()
            log = process.end()

        assert [answer.status_code for answer in answers] == [404, 404, 403, 404, 422]
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", log)
        (line,) = [line for line in log.splitlines() if "[info]" in line.partition("request")[2]]
        assert r"path=/v1/\x1b[31m " in log
        assert r"path='/v1/\x1b[31m\n2026 [info]'" in line
