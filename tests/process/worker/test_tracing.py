"""Traces as a collector receives them: one of the request, the job and its parts."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from worker.broker.contract import JobState

from .small_jobs import TINY

if TYPE_CHECKING:
    from conftest import Client, WorkerProcess

Own = Callable[..., tuple["Client", "WorkerProcess"]]

CALLER = f"00-{'1' * 32}-{'2' * 16}-01"


class Collector(ThreadingHTTPServer):
    """Takes spans by OTLP over HTTP, and keeps them with the name of the service that sent them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receiver)
        self.spans: list[tuple[str, Span]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def take(self, body: bytes) -> None:
        for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = named(of_resource.resource.attributes)["service.name"]
            self.spans += [(service, span) for scope in of_resource.scope_spans for span in scope.spans]

    def named(self, name: str) -> list[Span]:
        return [span for _, span in self.spans if span.name == name]


class _Receiver(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        assert self.path == "/v1/traces"
        self.server.take(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def named(attributes: Any) -> dict[str, Any]:
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in attributes}


def end(process: WorkerProcess) -> None:
    process.send(signal.SIGTERM)
    process.wait()


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def otel(collector: Collector) -> dict[str, str]:
    """The variables that turn traces on; only the flush at the end sends them within the test's time."""
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address, "OTEL_BSP_SCHEDULE_DELAY": "600000"}


def url_of(client: Client) -> str:
    where = client.redis.connection_pool.connection_kwargs
    return f"redis://:{where['password']}@{where['host']}:{where['port']}/{where['db']}"


@contextmanager
def running_api(redis_url: str, **env: str) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    process = subprocess.Popen(
        [sys.executable, "-m", "service"], env=os.environ | {"EP_REDIS_URL": redis_url, "EP_PORT": port} | env
    )
    deadline = time.monotonic() + 30
    try:
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                httpx.get(f"http://127.0.0.1:{port}/healthz")
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        process.wait(timeout=20)
    finally:
        process.kill()


def test_a_post_and_the_workers_run_of_its_job_are_one_trace(
    own: Own, bear: bytes, collector: Collector, otel: dict[str, str]
):
    client, worker = own(**otel)
    with running_api(url_of(client), **otel) as address:
        answer = httpx.post(
            f"{address}/v1/jobs",
            files={"image": bear},
            data={"params": json.dumps(TINY | {"model": "in_place"})},
            headers={"traceparent": CALLER},
        )
        assert answer.status_code == 202, answer.text
        job_id = answer.json()["id"]
        assert client.wait_final(job_id).state is JobState.SUCCEEDED
        assert "1" * 32 not in httpx.get(f"{address}/v1/jobs/{job_id}").text
        assert httpx.get(f"{address}/readyz").status_code == httpx.get(f"{address}/metrics").status_code == 200
    end(worker)

    (post,), (run,) = collector.named("POST /v1/jobs"), collector.named("run job")
    (engine,) = collector.named("run engine")
    (load,) = [span for span in collector.named("load model") if span.parent_span_id]
    assert {span.trace_id.hex() for span in (post, run, engine, load)} == {"1" * 32}
    assert (post.parent_span_id.hex(), run.parent_span_id) == ("2" * 16, post.span_id)
    assert engine.parent_span_id == load.parent_span_id == run.span_id
    assert named(run.attributes) == {
        "ep.job": job_id,
        "ep.attempt": 1,
        "ep.task": "extremal",
        "ep.model": "in_place",
        "ep.state": "succeeded",
    }
    assert named(load.attributes) == {"ep.model": "in_place"}
    assert {service for service, _ in collector.spans} == {
        "extremal-perturbations-api",
        "extremal-perturbations-worker",
    }
    assert {span.name for _, span in collector.spans} == {
        "POST /v1/jobs",
        "GET /v1/jobs/{job_id}",
        "run job",
        "load model",
        "run engine",
    }  # neither health checks nor scrapes


def test_a_failed_job_is_a_failed_span(own: Own, bear: bytes, collector: Collector, otel: dict[str, str]):
    client, worker = own(OTEL_SERVICE_NAME="mine", **otel)
    client.wait_final(client.post(bear, fields={"traceparent": CALLER}, **TINY | {"model": "raises"}))
    client.wait_final(client.post(bear, fields={"traceparent": "no such thing"}, **TINY))
    end(worker)

    failed, succeeded = collector.named("run job")
    assert (failed.status.code, failed.status.message) == (Status.STATUS_CODE_ERROR, "/problems/internal-error")
    assert named(failed.attributes)["ep.state"] == "failed"
    assert named(succeeded.attributes)["ep.state"] == "succeeded"
    assert not succeeded.parent_span_id  # what isn't a trace's context is no reason for a job to fail
    assert {service for service, _ in collector.spans} == {"mine"}


def test_a_collector_that_is_away_holds_nothing_up(own: Own, bear: bytes):
    client, worker = own(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")
    assert client.wait_final(client.post(bear, **TINY)).state is JobState.SUCCEEDED
    end(worker)  # within 30 s


TRACE_ONE = """
import sys
{before}
from worker.observe import tracing
from worker.observe.logs import setup_logging
setup_logging(json=False)
print(tracing.setup("test"))
with tracing.job_span(None, job="j"), tracing.span("part"):
    tracing.note(state="failed")
    tracing.fail("why")
    print(tracing.traceparent() is not None)
tracing.flush()
print("opentelemetry.exporter" in sys.modules)
"""


@pytest.mark.parametrize(
    ("env", "on"),
    [
        ({}, False),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, False),
    ],
)
def test_the_standard_variables_turn_traces_on(env: dict[str, str], on: bool):
    done = trace_one(env)
    assert done.stdout.split() == [str(on)] * 3
    assert ("must be otlp, console or none" in done.stderr) == (env.get("OTEL_TRACES_EXPORTER") == "zipkin")


def test_spans_can_go_to_the_terminal():
    done = trace_one({"OTEL_TRACES_EXPORTER": "console"})
    assert '"name": "run job"' in done.stdout
    assert '"ep.job": "j"' in done.stdout


def test_without_the_extra_a_line_says_so_and_the_rest_works():
    done = trace_one({"OTEL_TRACES_EXPORTER": "otlp"}, before="sys.modules['opentelemetry.sdk'] = None")
    assert done.stdout.split() == ["False"] * 3
    assert "the extra otel isn't installed" in done.stderr


def trace_one(env: dict[str, str], before: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", TRACE_ONE.format(before=before)],
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
