"""Traces (OpenTelemetry) of requests and their jobs, where the standard variables ask for them.

Spans go through the API, which does nothing by itself; `setup` loads the SDK (the extra `otel`) where it is wanted.
"""

from __future__ import annotations

import os
import threading
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import structlog
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from ep_core.version import __version__
from worker.broker.liveness import worker_name

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

FLUSH_S = 3.0  # a collector that is away must not hold up the process's end

_TRACEPARENT = "traceparent"  # the W3C's header
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_W3C = TraceContextTextMapPropagator()

log = structlog.get_logger(__name__)

_tracer = trace.get_tracer(__name__)  # of the provider that `setup` makes, once it has
_provider: TracerProvider | None = None


def setup(service: str) -> bool:
    """Turn traces on where the environment asks for them. Returns whether they are on.

    Args:
        service: this process's name in the traces, unless `OTEL_SERVICE_NAME` gives another.
    """
    global _provider
    exporter = _wanted()
    if _provider is None and exporter is not None:
        try:
            _provider = _make_provider(service, exporter)
        except ImportError as error:
            log.warning("no traces: the extra otel isn't installed", missing=error.name)
    return _provider is not None


def traceparent() -> str | None:
    """Return the current span as the W3C's header names it; None where there is none."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return carrier.get(_TRACEPARENT)


def job_span(parent: str | None, **attributes: str | int) -> AbstractContextManager[Span]:
    """Trace a job's run as the child of the request that posted it, whose `traceparent` is `parent`."""
    context = _W3C.extract({_TRACEPARENT: parent or ""})
    return _tracer.start_as_current_span("run job", context, SpanKind.CONSUMER, _named(attributes))


def span(name: str, **attributes: str | int) -> AbstractContextManager[Span]:
    """Trace a part of what is being traced."""
    return _tracer.start_as_current_span(name, attributes=_named(attributes))


def note(**attributes: str | int) -> None:
    """Add attributes to the current span."""
    trace.get_current_span().set_attributes(_named(attributes))


def fail(reason: str) -> None:
    """Mark the current span as failed."""
    trace.get_current_span().set_status(StatusCode.ERROR, reason)


def flush() -> None:
    """Send what has been traced, before the process ends; what can't be sent within `FLUSH_S` is lost."""
    if _provider is not None:
        sending = threading.Thread(target=_provider.force_flush, name="flush traces", daemon=True)
        sending.start()
        sending.join(FLUSH_S)  # the provider's own limit isn't kept


def _wanted() -> str | None:
    """Return the exporter that the environment asks for, if any."""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    exporter = os.environ.get("OTEL_TRACES_EXPORTER") or ("otlp" if any(map(os.environ.get, _ENDPOINTS)) else "none")
    if exporter not in ("otlp", "console", "none"):
        log.warning("no traces: OTEL_TRACES_EXPORTER must be otlp, console or none", given=exporter)
    return exporter if exporter in ("otlp", "console") else None


def _make_provider(service: str, exporter: str) -> TracerProvider:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create(
        {
            "service.name": os.environ.get("OTEL_SERVICE_NAME") or service,
            "service.version": __version__,
            "service.instance.id": worker_name(),
        }
    )
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)  # `flush` is there for the end
    provider.add_span_processor(BatchSpanProcessor(_make_exporter(exporter)))
    trace.set_tracer_provider(provider)
    return provider


def _make_exporter(name: str) -> SpanExporter:
    if name == "console":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()


def _named(attributes: dict[str, str | int]) -> dict[str, str | int]:
    return {f"ep.{name}": value for name, value in attributes.items()}
