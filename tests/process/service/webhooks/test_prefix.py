"""Links of webhooks below a path of a proxy's."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from redis import Redis

from service.app import create_app
from service.run.embedded_redis import EmbeddedRedis
from service.settings import ApiSettings
from tests.process.service.receivers import Answering
from worker.broker.store import JobStore

from .sending import SECRET, wait_until

Finish = Callable[[str], None]


@pytest.mark.parametrize("changes", [{"root_path": "/explain"}, {"trusted_proxies": ("*",)}, {}])
def test_links_begin_with_the_path(
    redis_server: EmbeddedRedis, redis: Redis, png: bytes, finish: Finish, store: JobStore, changes: dict[str, object]
) -> None:
    settings = ApiSettings(redis_url=redis_server.url, allow_private_urls=True, webhook_secret=SECRET)
    app = create_app(settings.model_copy(update=changes))
    with Answering() as receiver, TestClient(app, base_url="http://127.0.0.1") as client:
        form = {"webhook": receiver.url, "params": '{"areas": [0.05, 0.1, 0.2]}'}
        job = client.post(
            "/v1/jobs", files={"image": png}, data=form, headers={"X-Forwarded-Prefix": "/explain"}
        ).json()
        finish(job["id"])
        wait_until(lambda: receiver.requests)
        links = json.loads(receiver.requests[0].body)["data"]["links"]
    prefix = "/explain" if changes else ""
    address = f"{prefix}/v1/jobs/{job['id']}"
    assert links == {"self": address, "dashboard": f"{prefix}/#/job/{job['id']}", "result": f"{address}/result"}
    assert store.get(job["id"]).root_path == (prefix or None)
    stored = redis.hget(f"ep:job:{job['id']}", "root_path")
    assert (json.loads(stored) if stored else "") == prefix  # JSON: older workers read fields so that are new to them
