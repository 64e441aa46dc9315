"""What names a request in logs and traces; traces where the operator turns them on: `worker.tracing` does the rest."""

from __future__ import annotations

from asgi_correlation_id import correlation_id
from fastapi import FastAPI

from worker import tracing
from worker.contract import Origin

_QUIET = "/healthz$,/readyz$,/metrics$"  # asked every few seconds by machines


def install(app: FastAPI) -> None:
    """Trace the requests to `app`, if traces are wanted."""
    if not tracing.setup("extremal-perturbations-api"):
        return
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    FastAPIInstrumentor.instrument_app(app, excluded_urls=_QUIET, exclude_spans=["receive", "send"])


def origin() -> Origin:
    """Return what names the request that is being answered, for the jobs that it posts."""
    return Origin(request_id=correlation_id.get(), traceparent=tracing.traceparent())
