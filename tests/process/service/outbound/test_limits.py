"""Answers end in time and in size, whatever the other side does."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

import pytest

from service.outbound.requests import OutboundError
from tests.process.service.receivers import Answering, body, silent, status

from .asking import fetch, post


def endless(sent: list[int], *, length: str | None = None) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answer with 10 GB; `sent` gets the sizes of what went out."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        status(200, **({} if length is None else {"Content_Length": length}))(handler)
        for _ in range(10_000):
            sent.append(handler.wfile.write(b"x" * 1_000_000))

    return answer


def test_a_body_without_end_is_cut_off() -> None:
    sent: list[int] = []
    with Answering(endless(sent)) as server:
        with pytest.raises(OutboundError, match="more than the 100000 bytes"):
            fetch(server.url, max_bytes=100_000)
        assert post(server.url) == 200
    assert sum(sent) < 50_000_000  # what the buffers of both sides hold


def test_a_body_that_says_it_is_too_large_is_not_read() -> None:
    with Answering(status(200, Content_Length="10000000000")) as server, pytest.raises(OutboundError, match="1000 by"):
        fetch(server.url, timeout_s=5)


def test_a_body_may_have_all_its_bytes_but_no_more() -> None:
    with Answering(body(b"x" * 1000)) as server:
        assert fetch(server.url, max_bytes=1000) == b"x" * 1000
        with pytest.raises(OutboundError, match="999 bytes"):
            fetch(server.url, max_bytes=999)


def test_what_is_compressed_is_refused() -> None:
    with Answering(body(b"\x1f\x8b", Content_Encoding="gzip")) as server, pytest.raises(OutboundError, match="compres"):
        fetch(server.url)
    assert server.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("code", [204, 206, 404, 500])
def test_a_fetch_takes_nothing_but_200(code: int) -> None:
    with Answering(status(code)) as server, pytest.raises(OutboundError, match=f"status {code}"):
        fetch(server.url)


def drip(text: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        for k in range(len(text)):
            handler.wfile.write(text[k : k + 1])
            handler.wfile.flush()
            time.sleep(0.05)

    return answer


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 200, b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200]
)
def test_an_answer_that_drips_hits_the_deadline(answer: bytes) -> None:
    started = time.perf_counter()
    with Answering(drip(answer)) as server, pytest.raises(OutboundError, match=r"in time \(within 0.5 s\)"):
        fetch(server.url, timeout_s=0.5)
    assert 0.4 < time.perf_counter() - started < 8  # all of it takes ten seconds


def test_informational_answers_without_end_hit_the_deadline() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        while True:
            handler.wfile.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            time.sleep(0.01)

    with Answering(answer) as server, pytest.raises(OutboundError, match="in time"):
        post(server.url, timeout_s=0.5)


def test_a_status_counts_though_its_body_drips() -> None:
    started = time.perf_counter()
    with Answering(drip(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 400)) as server:
        assert post(server.url, timeout_s=30) == 200
    assert time.perf_counter() - started < 15  # all of it takes twenty seconds


def test_a_server_that_never_answers_hits_the_deadline() -> None:
    started = time.perf_counter()
    with silent() as dead, pytest.raises(OutboundError, match="in time"):
        post(dead.url, timeout_s=0.5)
    assert time.perf_counter() - started < 15
    assert len(dead.calls) == 1


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(OutboundError, match="can't be reached"):
        post(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("answer", [b"", b"220 smtp ready\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"])
def test_what_speaks_no_http_or_breaks_off(answer: bytes) -> None:
    def say(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(answer)

    with Answering(say) as server, pytest.raises(OutboundError, match="broke off the connection, or doesn't speak"):
        fetch(server.url)


def test_headers_without_end_are_cut_off() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for k in range(1_000_000):
            handler.wfile.write(b"X-%d: %s\r\n" % (k, b"x" * 1000))

    with Answering(answer) as server, pytest.raises(OutboundError, match="broke off"):
        fetch(server.url, timeout_s=20)
