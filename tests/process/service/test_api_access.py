"""Access: keys, their limits and their jobs; requests of foreign web pages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from fastapi.testclient import TestClient
from redis import Redis

from service.access.keys import ApiKey, hash_key
from service.app import create_app
from service.settings import ApiSettings
from worker.broker.store import JobStore

ANN, BOB, CUT = "ep_ann", "ep_bob", "ep_cut"
KEYS = (
    ApiKey(name="ann", sha256=hash_key(ANN)),
    ApiKey(name="bob", sha256=hash_key(BOB), max_queued=2, max_upload_bytes=100),
    ApiKey(name="cut", sha256=hash_key(CUT), rate="3/minute"),
)
Make = Callable[..., TestClient]


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def make(redis: Redis, settings: ApiSettings) -> Iterator[Make]:
    """A function that returns a client of an API with other settings, as a key's owner or without a key."""
    running: list[TestClient] = []

    def make(key: str | None = None, *, host: str = "127.0.0.1", **changes: object) -> TestClient:
        client = TestClient(
            create_app(settings.model_copy(update=changes)),
            base_url=f"http://{host}",
            headers=bearer(key) if key else {},
            raise_server_exceptions=False,
        )
        client.__enter__()
        running.append(client)
        return client

    yield make
    for client in running:
        client.__exit__(None, None, None)


def post(client: TestClient, png: bytes, **sent: object) -> httpx.Response:
    return client.post("/v1/jobs", files={"image": png}, **sent)


class TestKeys:
    @pytest.mark.parametrize("headers", [{}, bearer("ep_wrong"), {"X-API-Key": "ep_wrong"}, {"Authorization": "x"}])
    def test_without_one_nothing_is_told(self, make: Make, headers: dict[str, str]) -> None:
        """Not under any path that there is or will be."""
        client = make(api_keys=KEYS)
        asked = 0
        for path, operations in client.get("/openapi.json").json()["paths"].items():
            for method in operations if path.startswith("/v1/") else ():
                answer = client.request(method, path.replace("{", "").replace("}", ""), headers=headers)
                assert (answer.status_code, answer.json()["type"]) == (401, "/problems/unauthorized"), path
                assert answer.headers["www-authenticate"] == "Bearer"
                asked += 1
        assert asked > 15

    def test_whoever_tries_many_is_slowed_down(self, make: Make) -> None:
        client = make(api_keys=KEYS)
        answers = [client.get("/v1/models", headers=bearer(f"ep_{k}")) for k in range(61)]

        assert [answer.status_code for answer in answers] == [401] * 60 + [429]
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert client.get("/v1/models", headers=bearer(ANN)).status_code == 200
        assert client.get("/v1/models").status_code == 401  # none at all: nothing was tried

    def test_either_header_does(self, make: Make) -> None:
        client = make(api_keys=KEYS)

        assert client.get("/v1/models", headers=bearer(ANN)).status_code == 200
        assert client.get("/v1/models", headers={"X-API-Key": ANN}).status_code == 200

    def test_what_is_nobodys_stays_open(self, make: Make) -> None:
        client = make(api_keys=KEYS)

        assert [client.get(path).status_code for path in ("/", "/healthz", "/docs", "/openapi.json", "/metrics")] == [
            200
        ] * 5


class TestVisibility:
    def test_jobs_are_their_owners_alone(
        self, make: Make, png: bytes, finish: Callable[[str], None], store: JobStore
    ) -> None:
        ann, bob = make(ANN, api_keys=KEYS), make(BOB, api_keys=KEYS)
        params = {"params": '{"areas": [0.05, 0.1, 0.2]}'}
        job = post(ann, png, data=params).json()
        images = [f"{job['links']['self']}/images/0{size}" for size in ("", "?size=64")]
        assert [client.get(path).status_code for client in (ann, bob) for path in images] == [200, 200, 404, 404]
        finish(job["id"])
        assert store.get(job["id"]).owner == "ann"

        links = ann.get(job["links"]["self"]).json()["links"]
        paths = [links["self"], links["result"], links["bundle"], links["saliency"], links["masks"]["0.1"]]

        assert [ann.get(path).status_code for path in [*paths, links["events"]]] == [200] * 6
        assert [bob.get(path).status_code for path in [*paths, links["events"]]] == [404] * 6
        assert bob.delete(links["self"]).status_code == 404
        assert ann.delete(links["self"]).status_code == 204

    def test_lists_hold_ones_own(self, make: Make, png: bytes) -> None:
        ann, bob = make(ANN, api_keys=KEYS), make(BOB, api_keys=KEYS)
        mine = [post(ann, png).json()["id"] for _ in range(3)]
        his = post(bob, png).json()["id"]

        def listed(client: TestClient, query: str = "") -> list[str]:
            return [job["id"] for job in client.get(f"/v1/jobs{query}").json()["jobs"]]

        assert listed(ann) == listed(ann, "?status=queued") == mine[::-1]
        assert listed(bob) == [his]
        assert listed(ann, "?status=running") == []
        assert listed(make()) == [his, *mine[::-1]]  # without keys, everybody sees all

    def test_a_list_forgets_what_has_gone(self, make: Make, png: bytes, redis: Redis, store: JobStore) -> None:
        ann = make(ANN, api_keys=KEYS)
        first, second, third = (post(ann, png).json()["id"] for _ in range(3))
        ann.delete(f"/v1/jobs/{first}")
        attempt = store.start(second, worker="test")
        JobStore(redis, retention_s=1).finish(second, "succeeded", attempt=attempt)
        deadline = time.monotonic() + 10
        while redis.zcard("ep:expiring"):  # the API's own janitor may be first
            assert time.monotonic() < deadline
            time.sleep(0.05)
            store.forget_expired()

        assert [job["id"] for job in ann.get("/v1/jobs").json()["jobs"]] == [third]
        assert ann.get("/v1/jobs?status=succeeded").json()["jobs"] == []
        ann.delete(f"/v1/jobs/{third}")
        left = {key.decode() for key in redis.keys("*jobs*")} | {key.decode() for key in redis.keys("*expiring*")}
        assert left == set()

    def test_idempotency_keys_are_ones_own(self, make: Make, png: bytes) -> None:
        ann, bob = make(ANN, api_keys=KEYS), make(BOB, api_keys=KEYS)
        headers = {"Idempotency-Key": "same"}

        first, second, again = (post(client, png, headers=headers).json()["id"] for client in (ann, bob, ann))

        assert first == again != second


class TestLimits:
    def test_a_rate_is_told_and_kept(self, make: Make) -> None:
        client = make(CUT, api_keys=KEYS)
        answers = [client.get("/v1/models") for _ in range(4)]

        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
        assert {answer.headers["ratelimit-limit"] for answer in answers} == {"3"}
        assert answers[0].headers["ratelimit-policy"] == "3;w=60"
        assert 1 <= int(answers[3].headers["retry-after"]) <= 60
        assert answers[3].json()["type"] == "/problems/rate-limited"
        assert make(ANN, api_keys=KEYS).get("/v1/models").status_code == 200  # others aren't held up
        assert make(CUT, api_keys=KEYS).get("/v1/models").status_code == 429  # another API process knows

    def test_it_holds_for_errors_too(self, make: Make) -> None:
        client = make(CUT, api_keys=KEYS)
        answer = client.get(f"/v1/jobs/{'0' * 32}")

        assert (answer.status_code, answer.headers["ratelimit-remaining"]) == (404, "2")

    def test_the_tightest_of_several_counts(self, make: Make) -> None:
        client = make(rate_limit="2/minute;100/hour")
        answers = [client.get("/v1/models") for _ in range(3)]

        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[0].headers["ratelimit-limit"] == "2"
        assert answers[0].headers["ratelimit-policy"] == "2;w=60, 100;w=3600"

    def test_without_one_there_are_no_headers(self, client: TestClient) -> None:
        assert not [name for name in client.get("/v1/models").headers if name.startswith("ratelimit")]

    def test_so_many_jobs_may_wait(self, make: Make, store: JobStore) -> None:
        tiny = (
            b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x00\x00\x00\x00\x00,\x00\x00\x00\x00"
        )
        tiny += b"\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
        bob = make(BOB, api_keys=KEYS)
        jobs = [post(bob, tiny) for _ in range(3)]

        assert [job.status_code for job in jobs] == [202, 202, 429]
        assert jobs[2].json()["type"] == "/problems/queue-full"
        assert int(jobs[2].headers["retry-after"]) >= 1
        assert len(bob.get("/v1/jobs").json()["jobs"]) == 2
        store.start(jobs[0].json()["id"], worker="test")
        assert post(bob, tiny).status_code == 202
        assert post(make(ANN, api_keys=KEYS), tiny).status_code == 202

    def test_without_keys_it_holds_for_all(self, make: Make, png: bytes, redis: Redis) -> None:
        client = make(max_queued=1)

        assert [post(client, png).status_code for _ in range(2)] == [202, 429]
        assert len(redis.keys("ep:blobs:*")) == 1

    def test_images_may_have_so_many_bytes(self, make: Make, png: bytes) -> None:
        answer = post(make(BOB, api_keys=KEYS), png + bytes(100))

        assert (answer.status_code, answer.json()["type"]) == (413, "/problems/upload-too-large")
        assert "100 bytes" in answer.json()["detail"]
        assert post(make(ANN, api_keys=KEYS), png + bytes(100)).status_code == 202


class TestExposure:
    @pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "[::1]:8000", "127.0.0.2", "app.localhost:1"])
    def test_this_machines_names_are_answered_to(self, client: TestClient, host: str) -> None:
        assert client.get("/v1/models", headers={"Host": host}).status_code == 200

    @pytest.mark.parametrize(
        "host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1", "", "localhost.evil", "[::2]"]
    )
    def test_others_are_not(self, client: TestClient, host: str) -> None:
        """A page whose name its owner has lead to 127.0.0.1 learns nothing."""
        answer = client.get("/v1/models", headers={"Host": host})

        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/forbidden")

    @pytest.mark.parametrize(
        "changes",
        [
            {"allow_anonymous": True},
            {"api_keys": KEYS},
            {"allowed_hosts": ("explain.example",)},
            {"allowed_hosts": "*"},
        ],
    )
    def test_unless_the_operator_says_so(self, make: Make, changes: dict[str, object]) -> None:
        answer = make(ANN, **changes).get("/v1/models", headers={"Host": "Explain.Example:443"})

        assert answer.status_code == 200

    def test_hosts_are_kept_with_keys_too_where_listed(self, make: Make) -> None:
        client = make(ANN, api_keys=KEYS, allowed_hosts=("explain.example",))

        assert client.get("/v1/models", headers={"Host": "other.example"}).status_code == 403

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9999"])
    def test_a_foreign_page_posts_nothing(self, client: TestClient, png: bytes, redis: Redis, origin: str) -> None:
        answer = post(client, png, headers={"Origin": origin})

        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/forbidden")
        assert not redis.keys("ep:job:*")

    def test_our_own_page_does(self, client: TestClient, png: bytes) -> None:
        assert post(client, png, headers={"Origin": "http://127.0.0.1"}).status_code == 202

    def test_listed_origins_may_ask(self, make: Make, png: bytes) -> None:
        client = make(cors_origins=("https://app.example",))
        headers = {"Origin": "https://app.example"}
        preflight = client.options(
            "/v1/jobs",
            headers=headers | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-a"},
        )
        answer = post(client, png, headers=headers)

        assert (preflight.status_code, answer.status_code) == (200, 202)
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        assert "Location" in answer.headers["access-control-expose-headers"]
        assert (
            "access-control-allow-origin"
            not in client.get("/v1/models", headers={"Origin": "https://no.example"}).headers
        )

    @pytest.mark.parametrize("path", ["/", "/v1/jobs", "/v1/nothing", "/docs", "/healthz"])
    def test_every_answer_has_the_usual_headers(self, client: TestClient, path: str) -> None:
        headers = client.get(path).headers

        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert "default-src" in headers["content-security-policy"]
        assert ("default-src 'none'" in headers["content-security-policy"]) == (path == "/")
        assert ("script-src 'self' 'unsafe-inline'" in headers["content-security-policy"]) == (path == "/docs")
        assert (headers.get("cache-control") == "no-store") == path.startswith("/v1/")
