"""Options of a post: priority, reuse, keeping images, images by address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from redis import Redis

from ep_core.schemas.reports.file_names import CURVE, PAGE, REVEAL, SALIENCY
from service.app import create_app
from service.settings import ApiSettings
from service.uploads import fetch
from service.uploads.fetch import FETCHED_AT_ONCE
from worker.broker.blobs import RedisBlobs
from worker.broker.contract import INPUT, Priority
from worker.broker.queue import job_queue
from worker.broker.reuse import KnownResults
from worker.broker.store import JobStore

from .receivers import Answering, body, late, status

PARAMS = '{"areas": [0.05, 0.1, 0.2]}'
Finish = Callable[[str], None]


def post(client: TestClient, png: bytes, **data: str) -> httpx.Response:
    return client.post("/v1/jobs", files={"image": ("cat.png", png)}, data={"params": PARAMS} | data)


@pytest.fixture
def open_client(redis: Redis, settings: ApiSettings) -> Iterator[TestClient]:
    """A client of an API that fetches images, from this machine too."""
    changes: dict[str, Any] = {"fetch_urls": True, "allow_private_urls": True}
    with TestClient(create_app(settings.model_copy(update=changes)), base_url="http://127.0.0.1") as client:
        yield client


class TestPriority:
    def test_low_ones_have_a_queue_of_their_own(self, client: TestClient, redis: Redis, png: bytes) -> None:
        low, normal = post(client, png, priority="low").json(), post(client, png).json()

        assert job_queue(redis).job_ids == [normal["id"]]
        assert job_queue(redis, Priority.LOW).job_ids == [low["id"]]
        assert (low["priority"], normal["priority"]) == ("low", "normal")
        assert client.delete(low["links"]["self"]).status_code == 204
        assert job_queue(redis, Priority.LOW).job_ids == []

    def test_places_are_those_of_both_queues(self, client: TestClient, png: bytes) -> None:
        low = [post(client, png, priority="low").json()["links"]["self"] for _ in range(3)]
        normal = [post(client, png).json()["links"]["self"] for _ in range(6)]

        # Workers take four normal ones, a low one, the other two, and what is left.
        assert [client.get(link).json()["position"] for link in normal] == [1, 2, 3, 4, 6, 7]
        assert [client.get(link).json()["position"] for link in low] == [5, 8, 9]

    @pytest.mark.parametrize("value", ["high", "", "Low"])
    def test_others_are_refused(self, client: TestClient, png: bytes, value: str) -> None:
        answer = post(client, png, priority=value)

        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "priority")


class TestReuse:
    @pytest.fixture
    def done(self, client: TestClient, redis: Redis, png: bytes, finish: Finish, store: JobStore) -> str:
        """A finished job, published for reuse as a worker does."""
        job_id = str(post(client, png).json()["id"])
        finish(job_id)
        results = KnownResults(redis, retention_s=600)
        results.tell_model("mobilenet_v2", "sha256:b0353104")
        results.add(store.get(job_id).content, model="mobilenet_v2", job_id=job_id)
        return job_id

    def test_the_same_again_is_done_at_once(self, client: TestClient, redis: Redis, png: bytes, done: str) -> None:
        answer = post(client, png)

        job = answer.json()
        assert (answer.status_code, job["status"], job["cached"]) == (200, "succeeded", True)
        assert job["id"] != done
        assert job_queue(redis).job_ids == [done]  # nothing new
        first, second = (client.get(f"/v1/jobs/{job_id}/result").json() for job_id in (done, job["id"]))
        assert second["id"] == job["id"]
        assert first["scores"] == second["scores"]
        assert job["found"] == {"target": first["target"], "optimal_area": first["optimal_area"]}
        assert [point["preserve"] for point in first["curve"]] == [point["preserve"] for point in second["curve"]]
        for link in [*job["links"]["masks"].values(), job["links"]["saliency"], job["links"]["bundle"]]:
            assert client.get(link).status_code == 200

    def test_what_the_earlier_one_lacks_is_not_linked(
        self, client: TestClient, redis: Redis, store: JobStore, png: bytes, done: str
    ) -> None:
        RedisBlobs(redis).remove(done, REVEAL)
        job = post(client, png).json()
        assert (job["links"]["reveal"], job["links"]["page"]) == (None, f"/v1/jobs/{job['id']}/result.html")
        assert set(store.get(job["id"]).files) == {SALIENCY, CURVE, PAGE}

    def test_each_has_its_own_copy(self, client: TestClient, redis: Redis, png: bytes, done: str) -> None:
        second = post(client, png).json()
        client.delete(f"/v1/jobs/{done}")
        third = post(client, png).json()
        client.delete(second["links"]["self"])

        assert third["cached"]
        assert client.get(third["links"]["result"]).status_code == 200
        assert 0 < redis.ttl(f"ep:blobs:{third['id']}") <= 24 * 3600
        assert 0 < redis.ttl(f"ep:job:{third['id']}") <= 24 * 3600

    def test_what_has_gone_is_computed_anew(self, client: TestClient, png: bytes, done: str) -> None:
        client.delete(f"/v1/jobs/{done}")

        job = post(client, png).json()

        assert (job["status"], job["cached"]) == ("queued", False)

    def test_it_can_be_turned_off(self, client: TestClient, store: JobStore, png: bytes, done: str) -> None:
        job = post(client, png, reuse="false").json()

        assert (job["status"], job["cached"]) == ("queued", False)
        assert store.get(job["id"]).content is None

    def test_anything_else_is_another_job(self, client: TestClient, redis: Redis, png: bytes, done: str) -> None:
        assert not post(client, png + b"\0").json()["cached"]
        assert not post(client, png, params='{"areas": [0.05, 0.1]}').json()["cached"]
        KnownResults(redis, retention_s=600).tell_model("mobilenet_v2", "sha256:other")
        assert not post(client, png).json()["cached"]

    def test_new_weights_may_be_other_ones_until_they_are_known(
        self, client: TestClient, redis: Redis, png: bytes, done: str
    ) -> None:
        KnownResults(redis, retention_s=600).forget_models(["mobilenet_v2"])

        assert not post(client, png).json()["cached"]

    def test_batches_reuse_too(self, client: TestClient, png: bytes, done: str) -> None:
        batch = client.post(
            "/v1/batches", files=[("image", png), ("image", png + b"\0")], data={"params": PARAMS}
        ).json()

        assert [job["cached"] for job in batch["jobs"]] == [True, False]
        assert batch["counts"] == {"succeeded": 1, "queued": 1}


class TestKeptImages:
    def test_are_there_as_they_were_posted(self, client: TestClient, png: bytes) -> None:
        job = post(client, png, keep_images="true").json()
        (link,) = job["links"]["images"]

        answer = client.get(link)

        assert (answer.content, answer.headers["content-type"]) == (png, "image/png")
        assert client.get(link, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
        assert client.get(f"{job['links']['self']}/images/1").status_code == 404

    def test_others_have_no_link_and_go(self, client: TestClient, png: bytes, finish: Finish) -> None:
        job = post(client, png).json()
        finish(job["id"])

        assert client.get(job["links"]["self"]).json()["links"]["images"] is None
        assert client.get(f"{job['links']['self']}/images/0").status_code == 404


class TestImagesByAddress:
    def test_are_fetched(self, open_client: TestClient, redis: Redis, png: bytes) -> None:
        with Answering(body(png)) as server:
            as_form = open_client.post("/v1/jobs", files={"image_url": (None, server.url)}, data={"params": PARAMS})
            as_json = open_client.post("/v1/jobs", json={"image_url": f"{server.url}/b.png?size=1", "reuse": False})

        for answer in (as_form, as_json):
            assert answer.status_code == 202, answer.text
            assert RedisBlobs(redis).get(answer.json()["id"], INPUT) == png
        assert JobStore(redis, retention_s=60).get(as_json.json()["id"]).images == ["b.png"]

    def test_that_cannot_be_had_say_why(self, open_client: TestClient, png: bytes, redis: Redis) -> None:
        with Answering(status(404)) as missing, Answering(body(b"\xff" * 300_001)) as large:
            answers = [open_client.post("/v1/jobs", json={"image_url": one.url}) for one in (missing, large)]

        assert [answer.status_code for answer in answers] == [422, 422]
        assert [answer.json()["errors"][0]["field"] for answer in answers] == ["image_url"] * 2
        assert "404" in answers[0].json()["detail"]
        assert "300000 bytes" in answers[1].json()["detail"]
        assert not redis.keys("ep:job:*")

    def test_nothing_is_fetched_for_a_post_that_is_refused_anyway(self, open_client: TestClient, png: bytes) -> None:
        with Answering(body(png)) as server:
            answer = open_client.post("/v1/jobs", json={"image_url": server.url, "params": {"model": "unknown"}})

        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "model")
        assert server.requests == []

    def test_together_they_have_no_more_than_they_may(self, open_client: TestClient, redis: Redis) -> None:
        with Answering(body(b"\xff" * 250_000)) as server:
            answer = open_client.post("/v1/batches", json={"image_url": [server.url] * 30})

        assert (answer.status_code, answer.json()["type"]) == (413, "/problems/upload-too-large")
        assert "400000 bytes" in answer.json()["detail"]
        assert len(server.requests) <= FETCHED_AT_ONCE + 1  # the rest isn't asked for
        assert not redis.keys("ep:job:*")

    def test_slow_ones_share_one_limit_of_time(self, open_client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(fetch, "FETCH_S", 1.0)
        with Answering(late(5)) as slow:
            answer = open_client.post("/v1/batches", json={"image_url": [slow.url] * 20})

        assert answer.status_code == 422
        assert len(slow.requests) == FETCHED_AT_ONCE  # with a limit for each, the next ones would have their turn

    def test_in_a_batch_they_do_not_lose_the_others(self, open_client: TestClient, png: bytes) -> None:
        with Answering(body(png)) as good, Answering(status(500)) as bad:
            batch = open_client.post("/v1/batches", json={"image_url": [good.url, bad.url]}).json()

        assert batch["counts"] == {"queued": 1, "unusable": 1}

    def test_they_are_off_by_default(self, client: TestClient) -> None:
        answer = client.post("/v1/jobs", json={"image_url": "https://example.com/cat.jpg"})

        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "image_url")
        assert "EP_FETCH_URLS" in answer.json()["detail"]

    @pytest.mark.parametrize(
        "url", ["https://127.0.0.1/", "https://169.254.169.254/latest", "https://redis:6379/", "file:///etc"]
    )
    def test_they_lead_nowhere_private(self, redis: Redis, settings: ApiSettings, url: str) -> None:
        app = create_app(settings.model_copy(update={"fetch_urls": True}))
        with TestClient(app, base_url="http://127.0.0.1") as client:
            answer = client.post("/v1/jobs", json={"image_url": url})

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "image_url"


def test_without_a_secret_there_are_no_webhooks(client: TestClient, png: bytes) -> None:
    answer = post(client, png, webhook="https://example.com/hook")

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "webhook")
    assert "EP_WEBHOOK_SECRET" in answer.json()["detail"]
