"""A small proxy that shows a service below a path, as nginx or Traefik do; a real one, in threads."""

from __future__ import annotations

import http.client
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from .http_server import HTTPServerInThread

_OF_ONE_HOP = {"connection", "keep-alive", "transfer-encoding"}
PIECE_BYTES = 65536


class Proxy(HTTPServerInThread):
    """Shows the service at `upstream` below `prefix`, and answers 404 to all other paths.

    Args:
        upstream: the service's address.
        prefix: such as ``/explain``.
        cuts: whether it cuts the prefix off.
        headers: what it adds to each request.
    """

    def __init__(self, upstream: str, *, prefix: str = "/explain", cuts: bool = True, **headers: str) -> None:
        self.upstream = urlsplit(upstream).netloc
        self.prefix = prefix
        self.cuts = cuts
        self.added = {name.replace("_", "-"): value for name, value in headers.items()}
        self.missed: list[str] = []
        """Requested paths outside the prefix."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"

    def _pass_on(self) -> None:
        prefix = self.server.prefix
        path, mark, query = self.path.partition("?")
        if path != prefix and not path.startswith(f"{prefix}/"):
            self.server.missed.append(self.path)
            self.send_error(404)
            return
        upstream = http.client.HTTPConnection(self.server.upstream, timeout=120)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        shown = (path.removeprefix(prefix) or "/") if self.server.cuts else path
        sent = {name: value for name, value in self.headers.items() if name.lower() not in _OF_ONE_HOP}
        try:
            upstream.request(self.command, shown + mark + query, body=body or None, headers=sent | self.server.added)
            self._pass_back(upstream.getresponse())
        finally:
            upstream.close()

    def _pass_back(self, answer: http.client.HTTPResponse) -> None:
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _OF_ONE_HOP:
                self.send_header(name, value)
        self.send_header("Connection", "close")  # a stream has no length
        self.end_headers()
        with suppress(ConnectionError):
            while piece := answer.read1(PIECE_BYTES):
                self.wfile.write(piece)
                self.wfile.flush()
        self.close_connection = True

    do_GET = do_HEAD = do_POST = do_DELETE = do_OPTIONS = _pass_on

    def log_message(self, format: str, *args: object) -> None:
        pass
