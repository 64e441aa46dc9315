"""`/metrics`: how the service does, for Prometheus. Any API process tells the same: it is all in Redis."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from redis import Redis

from worker.index import JobIndex
from worker.liveness import device_memory, live_workers
from worker.queue import job_queues
from worker.stats import Counted, Counter, Histogram, Stats

from .deps import RedisDep
from .errors import Unavailable
from .problems import problem_responses

router = APIRouter(tags=["operation"])


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={
        200: {
            "content": {"text/plain": {"schema": {"type": "string"}, "example": "ep_workers 1.0"}},
            "description": "In Prometheus's text format.",
        },
        **problem_responses(Unavailable),
    },
)
def show_metrics(redis: RedisDep) -> Response:
    """Return jobs by state, the queue's length, workers, and what they did: jobs, seconds, iterations, models."""
    registry = CollectorRegistry()
    registry.register(_Collector(redis))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Collector(Collector):
    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def describe(self) -> list[Metric]:
        """Return nothing, so that registering asks Redis for nothing."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield from _now(self._redis)
        yield from _so_far(Stats(self._redis).read())


def _now(redis: Redis) -> Iterator[Metric]:
    jobs = GaugeMetricFamily("ep_jobs", "Jobs that are stored, by their state.", labels=["state"])
    for state, count in JobIndex(redis).counts().items():
        jobs.add_metric([state], count)
    waiting = GaugeMetricFamily("ep_queue_length", "Jobs that wait for a worker.", labels=["queue"])
    for queue in job_queues(redis):
        waiting.add_metric([queue.name], queue.count)
    memory = GaugeMetricFamily("ep_gpu_memory_bytes", "GPU memory that a worker's torch holds.", labels=["worker"])
    for worker, size in device_memory(redis).items():
        memory.add_metric([worker], size)
    yield from (jobs, waiting, GaugeMetricFamily("ep_workers", "Workers alive.", live_workers(redis)), memory)


def _so_far(counted: Counted) -> Iterator[Metric]:
    finished = CounterMetricFamily("ep_jobs_finished", "Jobs that workers have settled.", labels=["task", "state"])
    for label, count in counted.counters[Counter.FINISHED].items():
        finished.add_metric(label.split("/"), count)
    yield finished
    for name, counter, help_, label in (
        ("ep_iterations", Counter.ITERATIONS, "Steps of the engine, in jobs that succeeded.", "task"),
        ("ep_model_loads", Counter.MODEL_LOADS, "Models that workers have loaded.", "model"),
    ):
        family = CounterMetricFamily(name, help_, labels=[label])
        for value, count in counted.counters[counter].items():
            family.add_metric([value], count)
        yield family
    yield _histogram("ep_job_run_seconds", "From a job's start to its end.", counted.histograms[Counter.RUN_S])
    yield _histogram("ep_job_wait_seconds", "From a job's posting to its start.", counted.histograms[Counter.WAIT_S])


def _histogram(name: str, help_: str, by_task: dict[str, Histogram]) -> Metric:
    family = HistogramMetricFamily(name, help_, labels=["task"])
    for task, histogram in by_task.items():
        buckets = [(_bound(bound), float(count)) for bound, count in histogram.cumulative]
        family.add_metric([task], buckets, sum_value=histogram.total)
    return family


def _bound(bound: float) -> str:
    return "+Inf" if bound == float("inf") else str(bound)
