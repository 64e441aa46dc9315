"""Two API hosts and a worker elsewhere: blobs on S3, Redis behind TLS and a password."""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from redis import Redis

from tests.cloud import BUCKET, Bucket, s3_bucket, s3_client, tls_redis
from tests.forked import forked_worker
from tests.networks import model_list
from tests.pictures import encode
from tests.process.service.processes import run_api
from tests.small_jobs import MASKS_ONLY
from worker.broker.queue import connect
from worker.settings import SharedSettings

KEY = "of-the-main-journey"
TINY = {"model": "plain", "areas": [0.2, 0.5], "iterations": 3}
SLOW = {"model": "slow", "areas": [0.2], "iterations": 5000, **MASKS_ONLY}


@dataclass
class Hosts:
    """Clients of both APIs, and what lies behind them."""

    one: httpx.Client
    other: httpx.Client
    redis: Redis
    s3: Any
    bucket: Bucket
    log: Path
    """The worker's."""

    def blobs(self, job_id: str) -> list[str]:
        """Return the names of a job's objects in the bucket."""
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"explained/{job_id}/").get("Contents", [])
        return [entry["Key"].split("/", 2)[2] for entry in found]


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    folder = tmp_path_factory.mktemp("hosts")
    models = folder / "models.toml"
    models.write_text(model_list("plain", "slow"))
    with ExitStack() as running:
        cloud = running.enter_context(s3_bucket())
        url, password = running.enter_context(tls_redis(folder))
        key = {"name": "me", "sha256": hashlib.sha256(KEY.encode()).hexdigest()}
        env = cloud.env | {
            "EP_REDIS_PASSWORD": password,
            "EP_BLOB_URL": f"s3://{BUCKET}/explained",
            "EP_API_KEYS": json.dumps([key]),
            "EP_RATE_LIMIT": "100000/minute",
        }
        worker = os.environ | env | {"EP_REDIS_URL": url, "EP_MODELS_FILE": str(models), "EP_PRELOAD": "plain"}
        process = forked_worker(worker | {"EP_THREADS": "1"}, folder / "worker.log")
        process.start()
        running.callback(process.join)
        running.callback(process.kill)
        addresses = [running.enter_context(run_api(url, **env))[1] for _ in range(2)]
        headers = {"Authorization": f"Bearer {KEY}"}
        clients = [
            running.enter_context(httpx.Client(base_url=address, headers=headers, timeout=30)) for address in addresses
        ]
        for client in clients:
            wait_for(lambda client=client: client.get("/readyz").status_code == 200, 60)
        settings = SharedSettings(redis_url=url, redis_password=password)
        yield Hosts(*clients, connect(settings.redis_url), s3_client(cloud.env), cloud, folder / "worker.log")


def wait_for(holds: Callable[[], Any], within_s: float = 30.0) -> Any:
    deadline = time.monotonic() + within_s
    while not (found := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def picture(shade: int) -> bytes:
    return encode(Image.linear_gradient("L").convert("RGB").resize((48, 40)).point(lambda v: (v + shade) % 256), "PNG")


def post(client: httpx.Client, image: bytes, *, headers: dict[str, str] | None = None, **params: Any) -> dict[str, Any]:
    form = {"params": json.dumps(TINY | params), "keep_images": "true"}
    answer = client.post("/v1/jobs", files={"image": ("a.png", image)}, data=form, headers=headers)
    assert answer.status_code in (200, 202), answer.text
    job: dict[str, Any] = answer.json()
    return job


def follow(client: httpx.Client, job: dict[str, Any]) -> list[str]:
    """Return the kinds of a job's events, from the first one to its end."""
    with client.stream("GET", job["links"]["events"]) as stream:
        assert stream.status_code == 200
        return [line.removeprefix("event: ") for line in stream.iter_lines() if line.startswith("event: ")]


def addresses(links: Any) -> Iterator[str]:
    """Each address in a job's links, but for those that wait or aren't read."""
    if isinstance(links, str):
        yield links
    elif isinstance(links, dict):
        for name, inner in links.items():
            if name != "events":
                yield from addresses(inner)
    elif isinstance(links, list):
        for inner in links:
            yield from addresses(inner)


def test_the_main_journey(hosts: Hosts) -> None:
    image = picture(0)
    job = post(hosts.one, image, headers={"Idempotency-Key": "journey"})
    again = post(hosts.other, image, headers={"Idempotency-Key": "journey"})
    assert again["id"] == job["id"]
    assert follow(hosts.other, job)[-1] == "state"
    done = hosts.other.get(job["links"]["self"]).json()
    assert done["status"] == "succeeded", done["error"]
    assert hosts.one.get(job["links"]["self"]).json() == done
    seen = {path: [client.get(path) for client in (hosts.one, hosts.other)] for path in addresses(done["links"])}
    assert len(seen) > 12
    for path, answers in seen.items():
        assert [answer.status_code for answer in answers] == [200, 200], path
        if not path.endswith("bundle.zip"):
            assert answers[0].content == answers[1].content, path
    assert hosts.other.get(done["links"]["images"][0]).content == image
    bundle = zipfile.ZipFile(io.BytesIO(hosts.other.get(done["links"]["bundle"]).content))
    assert {"result.json", "masks/0.2.png"} <= set(bundle.namelist())
    assert {"input", "result.json", "masks/0.2.png"} <= set(hosts.blobs(job["id"]))
    assert not list(hosts.redis.scan_iter("ep:blobs:*"))  # they are in the bucket alone
    assert post(hosts.other, image)["links"]["result"]  # reused: there is at once what the other host's job found
    assert hosts.one.delete(done["links"]["self"]).status_code == 204
    assert hosts.other.get(done["links"]["self"]).status_code == 404
    assert hosts.blobs(job["id"]) == []


def test_a_batch_is_posted_here_and_read_there(hosts: Hosts) -> None:
    files = [("image", (f"{k}.png", picture(20 * k))) for k in range(1, 4)]
    batch = hosts.one.post("/v1/batches", files=files, data={"params": json.dumps(TINY)}).json()
    done = wait_for(lambda: (seen := hosts.other.get(batch["links"]["self"]).json())["done"] and seen)
    assert done["counts"] == {"succeeded": 3}
    page = hosts.other.get(done["links"]["page"])
    assert page.status_code == 200
    assert all(f"{k}.png" in page.text for k in range(1, 4))
    assert all(one["result"] for one in hosts.one.get(done["links"]["results"]).json()["results"])


def test_a_running_job_is_cancelled_from_the_other_host(hosts: Hosts) -> None:
    job = post(hosts.one, picture(90), **SLOW)
    wait_for(lambda: hosts.other.get(job["links"]["self"]).json()["progress"])
    sizes = [hosts.redis.zcard(f"ep:jobs:{state}") for state in ("queued", "running")]
    assert sizes == [0, 1]  # by which KEDA keeps its worker (docker/kubernetes), where the queue's list is empty
    assert hosts.redis.llen("rq:queue:extremal") == 0
    assert hosts.other.delete(job["links"]["self"]).status_code == 204
    assert hosts.one.get(job["links"]["self"]).status_code == 404
    assert post(hosts.one, picture(91), headers={"Prefer": "wait=20"})["status"] == "succeeded"  # the worker is free
    wait_for(lambda: hosts.blobs(job["id"]) == [])


def test_while_the_bucket_is_away_nothing_is_taken_and_no_job_fails(hosts: Hosts) -> None:
    gated = post(hosts.one, picture(60), **SLOW | {"iterations": 60})
    wait_for(lambda: hosts.other.get(gated["links"]["self"]).json()["progress"])
    hosts.bucket.stop()
    try:
        refused = hosts.other.post("/v1/jobs", files={"image": picture(61)}, data={"params": json.dumps(TINY)})
        assert (refused.status_code, refused.json()["type"]) == (503, "/problems/unavailable")
        assert refused.headers["retry-after"]
        wait_for(lambda: "the store is away, trying again" in hosts.log.read_text())
    finally:
        hosts.bucket.start()
    assert follow(hosts.one, gated)[-1] == "state"
    done = hosts.one.get(gated["links"]["self"]).json()
    assert (done["status"], done["attempt"]) == ("succeeded", 1)
    assert hosts.one.get("/v1/jobs?status=queued").json()["jobs"] == []


def test_a_picture_is_classified_by_either(hosts: Hosts) -> None:
    found = [
        client.post("/v1/classify", files={"image": picture(5)}, data={"model": "plain"}).json()
        for client in (hosts.one, hosts.other)
    ]
    assert found[0] == found[1]
    assert found[0]["classes"]


def test_an_owner_s_data_goes_from_both(hosts: Hosts) -> None:
    jobs = [post(client, picture(120 + k)) for k, client in enumerate((hosts.one, hosts.other))]
    for job in jobs:
        assert follow(hosts.one, job)[-1] == "state"
    assert hosts.other.delete("/v1/jobs?all=true").status_code == 200
    assert [hosts.one.get(job["links"]["self"]).status_code for job in jobs] == [404, 404]
    assert hosts.s3.list_objects_v2(Bucket=BUCKET, Prefix="explained/")["KeyCount"] == 0
