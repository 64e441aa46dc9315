"""RQ's worker, kept warm: it runs jobs in its own process, so that the models and the GPU's context stay."""

from __future__ import annotations

import math
import threading
from contextlib import suppress
from types import FrameType
from typing import Any

import structlog
from redis import Redis
from redis.client import Pipeline
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.exceptions import InvalidJobOperation, StopRequested
from rq.executions import Execution
from rq.job import Job
from rq.registry import StartedJobRegistry
from rq.serializers import JSONSerializer
from rq.timeouts import TimerDeathPenalty

from worker.broker.contract import NORMAL_PER_LOW, QUEUES, TAKEN_OVER, Priority
from worker.broker.queue import forget_executions, job_queues

from .runtime import BEATS_PER_LEASE, Runtime, current
from .tidying import Tidier

DEQUEUE_S = 5  # an idle worker looks after itself this often
SHORT_DEQUEUE_S = 1  # and sees as soon that it has to stop, where no signal tells it

log = structlog.get_logger(__name__)


class GpuWorker(SimpleWorker):
    """Takes one job after the other.

    A running job holds a lease of a few heartbeats, which `renew_lease` prolongs from the heartbeat's thread. RQ's
    remote commands aren't served: signals stop a worker, and the record cancels a job.

    Args:
        runtime: this process's.
        redis: a client of its own, whose timeouts RQ adapts.
        in_thread: whether it works in another thread than the main one, where no signal can end a wait or a job.
    """

    max_connection_wait_time = 5.0

    def __init__(self, runtime: Runtime, redis: Redis, *, in_thread: bool = False) -> None:
        self._runtime = runtime
        self._activity = runtime.activity
        self._normal_in_a_row = 0
        self._tidier = Tidier()
        self._registering = threading.Lock()
        self._is_waiting = False
        if in_thread:
            self.death_penalty_class = TimerDeathPenalty
        super().__init__(
            job_queues(redis),
            name=runtime.name,
            connection=redis,
            worker_ttl=(SHORT_DEQUEUE_S if in_thread else DEQUEUE_S) + 15,
            serializer=JSONSerializer,
            log_job_description=False,
        )

    @property
    def is_stopping(self) -> bool:
        """Whether a signal has requested the end of this worker."""
        return self._stop_requested

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """Wait for a job; a signal ends the wait at once."""
        self._is_waiting = True
        try:
            if self._stop_requested:
                raise StopRequested
            return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)
        finally:
            self._is_waiting = False

    def reorder_queues(self, reference_queue: Queue) -> None:
        """Put the queue first whose turn is next: that of low priority after `NORMAL_PER_LOW` normal jobs in a row.

        RQ calls it as soon as it has a job: from here on a signal no longer ends the worker at once.
        """
        self._is_waiting = False
        is_normal = reference_queue.name == QUEUES[Priority.NORMAL]
        self._normal_in_a_row = self._normal_in_a_row + 1 if is_normal else 0
        turns = reversed(self.queues) if self._normal_in_a_row >= NORMAL_PER_LOW else self.queues
        self._ordered_queues = list(turns)

    def prepare_execution(self, job: Job) -> Execution:
        """Take the lease, free of what a lost worker left."""
        forget_executions(self.connection, job.id)
        return super().prepare_execution(job)

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        """Run a job with this process's runtime."""
        token = current.set(self._runtime)
        try:
            return super().perform_job(job, queue, execution)
        finally:
            current.reset(token)
            self.executions.clear()  # also where Redis was away at the end: a lease still renewed would hide the job
            self._stop_requested = self._stop_requested or self._activity.device.poisoned
            self._tidier.tidy()

    def _finalize_success(self, job: Job, queue: Queue, execution: Execution, return_value: Any) -> None:
        """Settle RQ's state of a job; where another attempt has taken it over, end this execution alone."""
        if return_value != TAKEN_OVER:
            super()._finalize_success(job, queue, execution, return_value)
            return
        with self.connection.pipeline() as pipeline:
            self.cleanup_execution(job, pipeline=pipeline, execution=execution)
            pipeline.execute()

    def handle_job_success(
        self, job: Job, queue: Queue, started_job_registry: StartedJobRegistry, execution: Execution
    ) -> None:
        """Tidy up after a settled job, also where Redis has lost what RQ knew of it.

        After an outage that outlasted the lease, say. RQ 3.0 raises then, and would queue the finished job once more.
        """
        try:
            super().handle_job_success(job, queue, started_job_registry, execution)
        except (InvalidJobOperation, ValueError, KeyError) as error:  # gone, or half of it written again
            log.warning("RQ has lost track of a settled job", job=job.id, reason=str(error))
            with self.connection.pipeline() as pipeline:
                pipeline.delete(job.key)
                self.cleanup_execution(job, pipeline=pipeline, execution=execution)
                pipeline.execute()

    def renew_lease(self) -> None:
        """Prolong the leases of the running job, the record's and RQ's, if there is one."""
        job = self._activity.job
        if job is not None:
            self._runtime.store.renew(job.job_id, attempt=job.attempt, lease_s=self._runtime.lease_s)
        lease_s = self._lease_s()
        with self._registering, self.connection.pipeline() as pipeline:
            super().heartbeat(pipeline=pipeline)
            for execution in list(self.executions.values()):
                execution.heartbeat(execution.job.started_job_registry, lease_s, pipeline=pipeline)
            pipeline.execute()

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Tell RQ, and the heartbeat's thread, that the work loop goes round; end a wait that no signal has ended."""
        self._activity.tick()
        if self._is_waiting and self._stop_requested:
            raise StopRequested
        super().heartbeat(timeout, pipeline)

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:
        """Return the length of a job's lease in seconds."""
        return self._lease_s()

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """End now if idle; else let the job finish within the grace, or with the second signal put it back at once.

        It raises in the wait for a job only: elsewhere, in the middle of a message to the log say, it would be lost.
        """
        self.stop()
        if self._is_waiting:
            raise StopRequested

    def stop(self) -> None:
        """Take no more jobs; let the running one finish within the grace, or the second time put it back at once."""
        self._activity.stop_within(0.0 if self._stop_requested else self._runtime.settings.stop_grace_s)
        self._stop_requested = True

    def _install_signal_handlers(self) -> None:
        """Leave signals to the process's main loop."""

    def register_birth(self) -> None:
        """Register, even where an earlier round of this process couldn't sign off because Redis was away.

        A heartbeat that came in between would look like another worker of this name.
        """
        with self._registering:
            self.connection.delete(self.key)
            super().register_birth()

    def teardown(self) -> None:
        """Sign off, if Redis is there."""
        with suppress(RedisError):
            super().teardown()

    def subscribe(self) -> None:
        """Listen to no commands."""

    def unsubscribe(self) -> None:
        """Listen to no commands."""

    def procline(self, message: Any) -> None:
        """Leave the process's name alone."""

    def _lease_s(self) -> int:
        return math.ceil(BEATS_PER_LEASE * self._runtime.settings.heartbeat_s)
