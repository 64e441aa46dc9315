"""Turns of clients, on a real server: how many requests of one are worked on, and which of them take none."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from service.access import turns
from service.access.keys import ApiKey, KeyRing, hash_key

MANY = 3 * turns.AT_ONCE
KEYS = {name: f"ep_{name}" for name in ("ann", "bob")}
PATIENCE_S = 10.0


class Service:
    """An application whose requests continue when they are released."""

    def __init__(self) -> None:
        self.app = FastAPI()
        turns.install(self.app, KeyRing([ApiKey(name=name, sha256=hash_key(key)) for name, key in KEYS.items()]))
        self.working = self.most = 0
        self.go_on = asyncio.Event()
        for path, endpoint in {"/work": self.work, "/rest": self.rest, "/stream": self.stream}.items():
            self.app.get(path)(endpoint)
        self.app.post("/upload")(self.upload)
        self.app.get("/quick")(self.quick)

    async def work(self) -> None:
        self.working += 1
        self.most = max(self.most, self.working)
        await self.go_on.wait()
        self.working -= 1

    async def rest(self, request: Request) -> None:
        async with turns.turn_of(request).resting():
            await self.work()

    async def stream(self) -> StreamingResponse:
        async def words() -> AsyncIterator[bytes]:
            yield b"begun"
            await self.work()

        return StreamingResponse(words())

    async def upload(self, request: Request) -> int:
        self.working += 1
        return len(await request.body())

    async def quick(self) -> None:
        pass


@asynccontextmanager
async def served(service: Service) -> AsyncIterator[tuple[str, int]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(service.app, log_config=None))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield listener.getsockname()
        finally:
            service.go_on.set()
            server.should_exit = True
            await task


Scenario = Callable[[Service, httpx.AsyncClient], Awaitable[None]]


def play(scenario: Scenario) -> None:
    async def run() -> None:
        service = Service()
        async with (
            served(service) as (host, port),
            httpx.AsyncClient(base_url=f"http://{host}:{port}", timeout=PATIENCE_S, limits=httpx.Limits()) as client,
        ):
            await scenario(service, client)

    asyncio.run(asyncio.wait_for(run(), 3 * PATIENCE_S))


def ask(client: httpx.AsyncClient, path: str, name: str = "ann") -> asyncio.Task[httpx.Response]:
    return asyncio.create_task(client.get(path, headers={"X-API-Key": KEYS[name]}))


async def until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0.01)


async def is_quick(client: httpx.AsyncClient, name: str) -> bool:
    return (await ask(client, "/quick", name)).status_code == 200


def test_of_one_client_a_few_requests_are_worked_on_and_the_others_follow() -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:
        answers = [ask(client, "/work") for _ in range(MANY)]
        await until(lambda: service.working == turns.AT_ONCE)
        assert await is_quick(client, "bob")
        last = ask(client, "/quick")
        assert not (await asyncio.wait([last], timeout=0.2))[0]
        service.go_on.set()
        assert {answer.status_code for answer in await asyncio.gather(*answers, last)} == {200}
        assert service.most == turns.AT_ONCE

    play(scenario)


def test_addresses_without_a_key_take_turns_of_their_own() -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:
        answers = [asyncio.create_task(client.get("/work")) for _ in range(MANY)]
        await until(lambda: service.working == turns.AT_ONCE)
        other = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
        async with httpx.AsyncClient(base_url=client.base_url, transport=other, timeout=PATIENCE_S) as neighbour:
            assert (await neighbour.get("/quick")).status_code == 200
        service.go_on.set()
        await asyncio.gather(*answers)

    play(scenario)


@pytest.mark.parametrize("path", ["/rest", "/stream"])
def test_who_waits_or_streams_takes_no_turn(path: str) -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:
        answers = [ask(client, path) for _ in range(MANY)]
        await until(lambda: service.working == MANY)
        assert await is_quick(client, "ann")
        service.go_on.set()
        assert {answer.status_code for answer in await asyncio.gather(*answers)} == {200}

    play(scenario)


def test_an_upload_that_is_under_way_takes_no_turn() -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:
        head = f"POST /upload HTTP/1.1\r\nhost: a\r\nx-api-key: {KEYS['ann']}\r\ncontent-length: 8\r\n\r\nhalf"
        async with AsyncExitStack() as running:
            streams = []
            for _ in range(MANY):
                reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
                running.callback(writer.close)
                writer.write(head.encode())
                streams.append((reader, writer))
            await until(lambda: service.working == MANY)
            assert await is_quick(client, "ann")
            for reader, writer in streams:
                writer.write(b"half")
                assert (await reader.readline()).startswith(b"HTTP/1.1 200")

    play(scenario)


def test_a_client_that_leaves_the_line_takes_nobody_s_turn() -> None:
    async def scenario(service: Service, client: httpx.AsyncClient) -> None:
        answers = [ask(client, "/work") for _ in range(MANY)]
        await until(lambda: service.working == turns.AT_ONCE)
        for answer in answers:
            answer.cancel()
        service.go_on.set()
        assert await is_quick(client, "ann")
        assert {one.status_code for one in await asyncio.gather(*(ask(client, "/work") for _ in range(MANY)))} == {200}

    play(scenario)


def test_no_more_than_so_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MOST_WAITING", 5)

    async def scenario(service: Service, client: httpx.AsyncClient) -> None:
        answers = [ask(client, "/work") for _ in range(turns.AT_ONCE + 9)]
        await until(lambda: sum(answer.done() for answer in answers) == 4)
        refused = next(answer.result() for answer in answers if answer.done())
        assert (refused.status_code, refused.json()["type"]) == (429, "/problems/rate-limited")
        assert refused.headers["retry-after"] == "1"
        assert await is_quick(client, "bob")
        service.go_on.set()
        await asyncio.gather(*answers)

    play(scenario)
