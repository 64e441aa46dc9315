"""The Python client and the API as a process: keys, rate limits, a full queue."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator

import httpx2
import pytest
from extremal_client import AsyncClient, Client, NotAllowed, Unavailable
from extremal_client.core.address import make_site
from extremal_client.mcp.server import make_server
from mcp import Client as MCPClient
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult
from redis import Redis

from service.access.keys import hash_key, new_key
from service.run.embedded_redis import EmbeddedRedis
from worker.broker.store import JobStore

from .processes import run_api

KEY = new_key()
LISTED = [{"name": "ann", "sha256": hash_key(KEY), "rate": "3/second", "max_queued": 1}]


@pytest.fixture(scope="module")
def address(redis_server: EmbeddedRedis) -> Iterator[str]:
    """An API with one key."""
    with run_api(redis_server.url, EP_API_KEYS=json.dumps(LISTED)) as (_, url):
        yield url


@pytest.mark.usefixtures("redis")
def test_a_key_opens_and_a_rate_limit_is_waited_for(address: str) -> None:
    with Client(address, key=KEY) as client:
        began = time.monotonic()
        for _ in range(7):
            assert client.models().default == "mobilenet_v2"
        assert time.monotonic() - began > 1
    with Client(address, key="ep_wrong") as client, pytest.raises(NotAllowed, match="none of this service's") as caught:
        client.models()
    assert caught.value.status == 401

    async def all_at_once() -> list[str]:
        async with AsyncClient(address, key=KEY) as client:
            return [one.default for one in await asyncio.gather(*(client.models() for _ in range(7)))]

    assert asyncio.run(all_at_once()) == ["mobilenet_v2"] * 7


def test_a_full_queue_is_waited_for(
    address: str, redis: Redis, store: JobStore, png: bytes, finish: Callable[[str], None]
) -> None:
    with Client(address, key=KEY) as client:
        first = client.submit("extremal", png, areas=[0.05, 0.1, 0.2])
        with Client(address, key=KEY, retry_s=0.1) as hasty, pytest.raises(Unavailable) as caught:
            hasty.submit("extremal", png, seed=1)
        assert caught.value.slug == "queue-full"
        threading.Timer(0.5, finish, [first.id]).start()
        second = client.submit("extremal", png, seed=1)
        assert (second.id != first.id, second.status) == (True, "queued")
        assert client.result(first).masks[0.1].read() == b"picture masks/0.1.png"
        assert {job.id for job in client.jobs()} == {first.id, second.id}
        assert client.delete_all() == 2


@pytest.mark.usefixtures("redis")
def test_an_agent_over_http_asks_with_its_own_key(address: str) -> None:
    server = make_server(make_site(address, key=None))

    async def ask(key: str) -> CallToolResult:
        app = httpx2.ASGITransport(server.streamable_http_app())
        headers = {"Authorization": f"Bearer {key}"}
        async with (
            httpx2.AsyncClient(transport=app, headers=headers) as http,
            server.session_manager.run(),
            MCPClient(streamable_http_client("http://127.0.0.1:8100/mcp", http_client=http)) as client,
        ):
            return await client.call_tool("list_models", {})

    assert not asyncio.run(ask(KEY)).is_error
    assert "none of this service's" in str(asyncio.run(ask("ep_wrong")).content)
