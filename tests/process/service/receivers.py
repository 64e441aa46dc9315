"""Servers for tests to call: real ones, each in a thread of its own."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.http_server import HTTPServerInThread


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Answering(HTTPServerInThread):
    """Answers every request as `answer` does, and keeps it in `requests`.

    `answer` takes the handler; what it leaves unanswered is closed.
    """

    def __init__(
        self,
        answer: Callable[[BaseHTTPRequestHandler], None] | None = None,
        *,
        host: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.requests: list[Request] = []
        self.answer = answer or status(204)
        super().__init__((host, 0), _Handler)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.scheme = "http" if tls is None else "https"
        self.port = int(self.server_address[1])
        self.url = f"{self.scheme}://{host}:{self.port}/hook"


class _Handler(BaseHTTPRequestHandler):
    server: Answering

    def _take(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append(Request(self.command, self.path, headers, self.rfile.read(length)))
        with suppress(OSError):
            self.server.answer(self)

    do_GET = do_POST = do_CONNECT = _take

    def log_message(self, format: str, *args: object) -> None:
        pass


def status(*codes: int, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answer with these statuses, one after the other, then always with the last."""
    left = list(codes)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(left.pop(0) if len(left) > 1 else left[0])
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()

    return answer


def late(seconds: float) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answer only after so many seconds."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)
        status(204)(handler)

    return answer


def body(content: bytes, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answer with this content."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        status(200, **({"Content_Length": str(len(content))} | headers))(handler)
        handler.wfile.write(content)

    return answer


@dataclass
class Silent:
    """Accepts connections and never answers; `url` is where, `calls` how many came."""

    url: str
    calls: list[socket.socket] = field(default_factory=list)


@contextmanager
def silent() -> Iterator[Silent]:
    """A receiver that is dead, though its port is open."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        dead = Silent(f"http://127.0.0.1:{listener.getsockname()[1]}/hook")

        def accept() -> None:
            with suppress(OSError):
                while True:
                    dead.calls.append(listener.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        yield dead
        listener.shutdown(socket.SHUT_RDWR)
        for call in dead.calls:
            call.close()
