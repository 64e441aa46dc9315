"""Metrics of this API process for Prometheus: its requests, and its use of the machine.

Unlike the workers' metrics, they aren't in Redis: each replica exports its own, and Prometheus adds them up.
"""

from __future__ import annotations

import time

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.http.prefix import template_of

# Most requests take a millisecond or some; a post that waits for its job (`Prefer: wait`) up to a minute.
BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
OTHER = "other"  # methods are the client's to make up: what we don't know has one name
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class HttpMetrics:
    """The counters of one application, and those of its process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "ep_http_requests",
            "Requests answered by this process, by the class of the answer's status.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "ep_http_request_seconds",
            "From a request's arrival to the start of its answer.",
            ["method", "route"],
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        self._cells: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request.

        Args:
            method: of HTTP.
            route: the template of its address.
            status: of the answer.
            seconds: from its arrival to the start of the answer.
        """
        key = (method, route, status // 100)
        cell = self._cells.get(key)
        if cell is None:  # looking up a label's cell in the registry costs more than counting
            cell = self._requests.labels(method, route, f"{key[2]}xx"), self._seconds.labels(method, route)
            self._cells[key] = cell
        requests, latency = cell
        requests.inc()
        latency.observe(seconds)


def install(app: FastAPI, metrics: HttpMetrics) -> None:
    """Count the requests of `app`."""
    app.add_middleware(_CountRequests, metrics=metrics)


class _CountRequests:
    """Counts each request that reaches the application."""

    def __init__(self, app: ASGIApp, metrics: HttpMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and count it when it has been answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        arrived = time.perf_counter()
        seconds: float | None = None
        status = 500  # unless an answer is sent

        async def send_and_note(message: Message) -> None:
            nonlocal seconds, status
            if message["type"] == "http.response.start":
                status = message["status"]
                seconds = time.perf_counter() - arrived
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            if seconds is None:
                seconds = time.perf_counter() - arrived
            method = scope["method"] if scope["method"] in _METHODS else OTHER
            self._metrics.count(method, template_of(scope), status, seconds)
