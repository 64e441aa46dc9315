"""`/metrics` for Prometheus.

Jobs and workers are counted in Redis, so any API process exports the same; requests are each process's own.
"""

from __future__ import annotations

from collections.abc import Iterator

import structlog
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from redis import Redis

from service.deps import HttpMetricsDep, RedisDep
from worker.broker.index import JobIndex
from worker.broker.liveness import device_memory, live_processes, live_workers
from worker.broker.queue import REDIS_UNUSABLE, job_queues
from worker.broker.reserved import Room
from worker.broker.statistics import DELIVERY_OUTCOMES, Counted, Counter, Histogram, Stats
from worker.broker.stepping import stepping

router = APIRouter(tags=["operation"])

_log = structlog.get_logger(__name__)


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={
        200: {
            "content": {"text/plain": {"schema": {"type": "string"}, "example": "ep_workers 1.0"}},
            "description": "In Prometheus's text format.",
        },
    },
)
def show_metrics(redis: RedisDep, http: HttpMetricsDep) -> Response:
    """Return jobs by state, the queue's length, workers, and their work: jobs, seconds, iterations, models.

    Also the requests that this process answered, and what it takes of the machine; while Redis is away, nothing else.
    """
    registry = CollectorRegistry()
    registry.register(_Collector(redis))
    return Response(generate_latest(registry) + generate_latest(http.registry), media_type=CONTENT_TYPE_LATEST)


class _Collector(Collector):
    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def describe(self) -> list[Metric]:
        """Return nothing, so that registering makes no call to Redis."""
        return []

    def collect(self) -> Iterator[Metric]:
        families: list[Metric] = []
        try:
            families = [*_now(self._redis), *_so_far(Stats(self._redis).read())]
        except REDIS_UNUSABLE as error:  # the moment when the other metrics are most wanted
            _log.warning("redis unusable", reason=f"{type(error).__name__}: {error}")
        yield GaugeMetricFamily("ep_redis_up", "Whether this process can use Redis.", bool(families))
        yield from families


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
    reserved = GaugeMetricFamily(
        "ep_redis_reserved_bytes", "Redis's memory that is kept for jobs that have not ended.", Room(redis).reserved()
    )
    workers = GaugeMetricFamily("ep_workers", "Workers alive.", live_workers(redis))
    processes = GaugeMetricFamily("ep_worker_processes", "Processes that they are in.", live_processes(redis))
    speed = stepping(redis)
    sharing = GaugeMetricFamily(
        "ep_shared_jobs", "Jobs of workers with several at once that step masks.", speed.jobs if speed else 0
    )
    yield from (jobs, waiting, workers, processes, sharing, memory, reserved)


def _so_far(counted: Counted) -> Iterator[Metric]:
    finished = CounterMetricFamily("ep_jobs_finished", "Jobs that workers have settled.", labels=["task", "state"])
    for label, count in counted.counters[Counter.FINISHED].items():
        finished.add_metric(label.rpartition("/")[::2], count)
    yield finished
    deliveries = CounterMetricFamily("ep_webhook_deliveries", "Attempts to deliver webhooks.", labels=["outcome"])
    for outcome, count in (dict.fromkeys(DELIVERY_OUTCOMES, 0) | counted.counters[Counter.DELIVERIES]).items():
        deliveries.add_metric([outcome], count)
    yield deliveries
    for name, counter, help_, label in (
        ("ep_iterations", Counter.ITERATIONS, "Steps of the engine, in jobs that succeeded.", "task"),
        ("ep_model_loads", Counter.MODEL_LOADS, "Models that workers have loaded.", "model"),
    ):
        family = CounterMetricFamily(name, help_, labels=[label])
        for value, count in counted.counters[counter].items():
            family.add_metric([value], count)
        yield family
    steps = counted.counters[Counter.SHARED_STEPS]
    for name, help_ in (
        ("batches", "Batches of masks that workers with several jobs at once have stepped."),
        ("lanes", "Masks in these batches, all together."),
        ("rows", "How many masks there could have been in them."),
    ):
        yield CounterMetricFamily(f"ep_shared_{name}", help_, steps.get(name, 0))
    yield CounterMetricFamily("ep_shared_seconds", "Seconds that these batches took.", steps.get("ms", 0) / 1000)
    cpu = CounterMetricFamily("ep_worker_cpu_seconds", "CPU seconds of workers, by their use.", labels=["part"])
    for part, ms in counted.counters[Counter.CPU_MS].items():
        cpu.add_metric([part], ms / 1000)
    yield cpu
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
