"""Middleware of every request: its id in all log lines, an access log line, default headers."""

from __future__ import annotations

import re
import time

import structlog
from asgi_correlation_id import CorrelationIdMiddleware, correlation_id
from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .prefix import FOR_MACHINES, path_of, template_of
from .problems import REQUEST_ID_HEADER

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
_CSP = "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
_DOCS_CSP = f"{_CSP}; script-src 'self' 'unsafe-inline'; worker-src 'self' blob:"  # FastAPI's pages start by a script
_DOCS = ("/docs", "/redoc")

# Asked all the time by machines and dashboards; /metrics counts them.
_QUIET = (*FOR_MACHINES, "/v1/jobs/{job_id}")
_SLOW_MS = 500.0

# A UUID; the package's own check takes any number of hyphens and braces, and the id goes into logs and jobs' records.
_REQUEST_ID = re.compile(r"[0-9A-Fa-f]{32}|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

_log = structlog.get_logger("service.access")


def install(app: FastAPI) -> None:
    """Put the middleware around `app`."""
    app.add_middleware(_AccessLog)
    app.add_middleware(  # added last: the outermost
        CorrelationIdMiddleware, header_name=REQUEST_ID_HEADER, validator=_is_request_id
    )


def _is_request_id(text: str) -> bool:
    return _REQUEST_ID.fullmatch(text) is not None


class _AccessLog:
    """Logs each request and sets the headers that every answer carries."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        structlog.contextvars.bind_contextvars(request_id=correlation_id.get())
        started = time.perf_counter()
        status = 500  # unless an answer is sent

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _set_headers(MutableHeaders(scope=message), scope)
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            elapsed_ms = round(1000 * (time.perf_counter() - started), 1)
            is_look = scope["method"] in ("GET", "HEAD") and template_of(scope) in _QUIET
            log = _log.debug if is_look and status < 400 and elapsed_ms < _SLOW_MS else _log.info
            log("request", method=scope["method"], path=path_of(scope), status=status, ms=elapsed_ms)


def _set_headers(headers: MutableHeaders, scope: Scope) -> None:
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    path = path_of(scope)
    headers.setdefault("Content-Security-Policy", _DOCS_CSP if path in _DOCS else _CSP)
    if path.startswith(("/v1/", "/v2")):
        headers.setdefault("Cache-Control", "no-store")
    headers.update(scope.get("state", {}).get("headers", {}))  # of the rate limit
