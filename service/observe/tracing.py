"""Names of a request in logs and traces; traces where the operator turns them on (`worker.observe.tracing`)."""

from __future__ import annotations

from asgi_correlation_id import correlation_id
from fastapi import FastAPI

from service.http.prefix import FOR_MACHINES
from worker.broker.contract import Origin
from worker.observe import tracing

_QUIET = ",".join(f"{path}$" for path in FOR_MACHINES)  # polled every few seconds


def install(app: FastAPI) -> None:
    """Trace the requests to `app`, if traces are wanted."""
    if not tracing.setup("extremal-perturbations-api"):
        return
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    FastAPIInstrumentor.instrument_app(app, excluded_urls=_QUIET, exclude_spans=["receive", "send"])


def origin(root_path: str) -> Origin:
    """Return the origin of the jobs that the current request posts.

    Args:
        root_path: the path below which a proxy shows the service to its client; "" without one.
    """
    return Origin(correlation_id.get(), tracing.traceparent(), root_path or None)
