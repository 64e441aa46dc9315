"""Limits of a connection before its request is whole, on a real server and real sockets."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import httpx
import pytest
import uvicorn

from service.access import connections
from service.settings import ApiSettings

LARGE = b"a" * 20_000_000
Serve = Callable[..., tuple[str, int]]


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer with how many bytes the body had; to `/large`, with many bytes."""
    if scope["type"] != "http":
        return
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    body = LARGE if scope["path"] == "/large" else str(size).encode()
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server whose connections have the limits of the settings; gives its address."""
    with ExitStack() as running:

        def start(**settings: Any) -> tuple[str, int]:
            config = uvicorn.Config(app, http=connections.connections(ApiSettings(**settings)), log_config=None, port=0)
            server = uvicorn.Server(config)
            listener = running.enter_context(closing(socket.create_server(("127.0.0.1", 0))))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
            thread.start()
            running.callback(thread.join, 10)
            running.callback(setattr, server, "should_exit", True)
            while not server.started:
                time.sleep(0.01)
            return listener.getsockname()

        yield start


def send(address: tuple[str, int], *parts: bytes, pause_s: float = 0.0) -> bytes:
    """Send parts with pauses; returns all that comes back until the server closes, or has nothing more to say."""
    with socket.create_connection(address, timeout=10) as connection:
        answer = b""
        try:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause_s)
            while more := connection.recv(65536):
                answer += more
        except (ConnectionError, TimeoutError):
            pass
        return answer


GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"


@pytest.mark.parametrize("size", [1000, 60_000])
def test_headers_that_fit_are_read(serve: Serve, size: int) -> None:
    assert send(serve(), GET + b"X-Long: " + b"a" * size + b"\r\n\r\n").startswith(b"HTTP/1.1 200")


def test_long_headers_are_431_and_end_the_connection_soon(serve: Serve) -> None:
    started = time.monotonic()
    answer = send(serve(), GET + b"X-Long: " + b"a" * 70_000, *[b"a" * 1_000_000] * 40)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431")
    assert time.monotonic() - started < 10
    many = GET + b"".join(b"X-%d: a\r\n" % k for k in range(8000)) + b"\r\n"
    answer = send(serve(), many)
    assert answer.startswith(b"HTTP/1.1 431")
    assert b"/problems/request-header-fields-too-large" in answer


def test_a_large_body_after_short_headers_is_read_whole(serve: Serve) -> None:
    host, port = serve()
    with httpx.Client(base_url=f"http://{host}:{port}") as client:
        for _ in range(2):  # on the same connection
            assert client.post("/", content=b"\xff" * 5_000_000).text == "5000000"


@pytest.mark.slow
def test_a_request_that_does_not_come_times_out(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"HEAD_S": 0.5, "QUIET_S": 0.5, "BURST_S": 0.1}.items():
        monkeypatch.setattr(connections, name, value)
    address = serve()
    post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n"
    for sent in (b"", b"GET / HT", GET, post, post + b"half"):
        started = time.monotonic()
        assert send(address, sent).startswith(b"HTTP/1.1 408"), sent
        assert time.monotonic() - started < 8


@pytest.mark.slow
def test_a_slow_but_steady_upload_goes_through(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"HEAD_S": 1.2, "QUIET_S": 1.2, "BURST_S": 0.1}.items():
        monkeypatch.setattr(connections, name, value)
    head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10\r\n\r\n"
    answer = send(serve(), head, *[b"a"] * 10, pause_s=0.15)
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"2\r\n10\r\n0\r\n\r\n")


def test_an_upload_that_takes_for_ever_ends(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"BODY_S": 0.6, "BURST_S": 0.1}.items():
        monkeypatch.setattr(connections, name, value)
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"
    assert send(serve(), head, *[b"a"] * 3, pause_s=0.15).startswith(b"HTTP/1.1 408")


def idle(address: tuple[str, int], count: int, running: ExitStack) -> list[socket.socket]:
    return [running.enter_context(closing(socket.create_connection(address, timeout=10))) for _ in range(count)]


def status(connection: socket.socket) -> bytes:
    """Wait until the server closes a connection with a response; returns the status."""
    return connection.recv(1000).split()[1]


@pytest.mark.slow
@pytest.mark.parametrize(("trusted", "left"), [(None, 20), (("127.0.0.0/8",), 60), (("10.0.0.1",), 20)])
def test_an_address_has_so_many_silent_connections(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, trusted: tuple[str, ...] | None, left: int
) -> None:
    for name, value in {"HEAD_S": 2.0, "BURST_S": 0.3}.items():
        monkeypatch.setattr(connections, name, value)
    address = serve(max_unfinished=20, trusted_proxies=trusted)
    with ExitStack() as running:
        silent = idle(address, 60, running)
        assert send(address, GET + b"\r\n").startswith(b"HTTP/1.1 200")  # meanwhile
        told = Counter(map(status, silent))
        assert told[b"408"] == left  # these were left until their time was up
        assert told[b"429"] == 60 - left
        assert send(address, GET + b"\r\n").startswith(b"HTTP/1.1 200")


def test_many_whole_requests_at_once_are_answered(serve: Serve) -> None:
    address = serve(max_unfinished=5)
    with ExitStack() as running:
        many = idle(address, 200, running)
        for one in many:
            one.sendall(GET + b"\r\n")
        assert all(one.recv(1000).startswith(b"HTTP/1.1 200") for one in many)


def test_when_too_many_are_open_the_next_one_is_told(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "raise_descriptors", lambda: connections.RESERVED + 10)
    address = serve()
    with ExitStack() as running:
        silent = idle(address, 10, running)
        time.sleep(0.2)
        assert send(address, GET + b"\r\n").startswith(b"HTTP/1.1 503")
        silent[0].close()
        time.sleep(0.2)
        assert send(address, GET + b"\r\n").startswith(b"HTTP/1.1 200")


@pytest.mark.slow
def test_an_answer_that_nobody_reads_ends_its_connection(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "UNREAD_S", 0.5)
    address = serve()
    assert read_slowly(address, pause_s=2.5, steps=1) < len(LARGE)
    assert read_slowly(address, pause_s=0.1, steps=20) >= len(LARGE)  # slow, but steady


def read_slowly(address: tuple[str, int], *, pause_s: float, steps: int) -> int:
    """Ask for the large answer, and read it after pauses with a megabyte each; returns the bytes that came."""
    size = 0
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        try:
            for _ in range(steps):
                time.sleep(pause_s)
                size += len(connection.recv(1_000_000, socket.MSG_WAITALL))
            while more := connection.recv(1_000_000):
                size += len(more)
        except ConnectionError:
            pass
    return size
