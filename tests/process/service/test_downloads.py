"""Answers with files: in pieces, and of a caller a few at a time until they are read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from redis import Redis
from starlette.types import Message

from service.access.downloads import EACH
from service.app import create_app
from service.http.pieces import PIECE_BYTES, InPieces
from service.settings import ApiSettings


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES])
def test_an_answer_is_the_same_in_pieces(size: int) -> None:
    body, sent = bytes(k % 251 for k in range(size)), []

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(InPieces(body, media_type="image/png")({"type": "http"}, receive_nothing, send))
    head, *pieces = sent
    assert (b"content-length", str(size).encode()) in head["headers"]
    assert b"".join(piece["body"] for piece in pieces) == body
    assert [piece["more_body"] for piece in pieces] == [True] * (len(pieces) - 1) + [False]
    assert max(len(piece["body"]) for piece in pieces) <= PIECE_BYTES


async def receive_nothing() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


class Reader:
    """Clients of an application that read an answer only on request."""

    def __init__(self, app: FastAPI, path: str) -> None:
        self._app, self._path = app, path
        self.began: list[str] = []
        self.read = asyncio.Event()

    def get(self, address: str) -> asyncio.Task[None]:
        """Send a request from an address."""
        return asyncio.create_task(self._get(address))

    async def wait_for(self, count: int) -> None:
        """Wait until so many answers have begun, and a little longer."""
        async with asyncio.timeout(20):
            while len(self.began) < count:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)

    async def _get(self, address: str) -> None:
        scope: dict[str, Any] = {"type": "http", "http_version": "1.1", "method": "GET", "scheme": "http"}
        scope |= {"path": self._path, "raw_path": self._path.encode(), "query_string": b"", "root_path": ""}
        scope |= {"headers": [(b"host", b"127.0.0.1")], "client": (address, 1), "server": ("127.0.0.1", 8000)}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                assert message["status"] == 200
                self.began.append(address)
            await self.read.wait()

        await self._app(scope, receive_nothing, send)


@pytest.mark.parametrize("file", ["bundle.zip", "masks/0.1.png"])
def test_a_caller_has_a_few_answers_in_memory_at_a_time(
    settings: ApiSettings, redis: Redis, post: Callable[[], str], finish: Callable[[str], None], file: str
) -> None:
    job_id = post()
    finish(job_id)

    async def steps() -> None:
        clients = Reader(create_app(settings), f"/v1/jobs/{job_id}/{file}")
        many = [clients.get("10.0.0.1") for _ in range(EACH + 4)]
        await clients.wait_for(EACH)
        assert len(clients.began) == EACH
        other = clients.get("10.0.0.2")
        await clients.wait_for(EACH + 1)
        assert clients.began[-1] == "10.0.0.2"
        clients.read.set()
        await asyncio.gather(other, *many)
        assert len(clients.began) == EACH + 5

    asyncio.run(steps())
