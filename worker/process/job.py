"""Run of one job, from the posted image to the stored result."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Literal
from uuid import uuid4

import structlog
from PIL import Image
from rq import Retry
from rq.timeouts import JobTimeoutException

import ep_core
from ep_core.engine import run_task
from ep_core.errors import InvalidInput, ModelUnavailable
from ep_core.models.runtime.memory import free_memory, is_out_of_memory, is_poisoned
from ep_core.pictures.region import read_region
from ep_core.schemas.reports.file_names import RESULT
from ep_core.schemas.targets import picture_of
from ep_core.schemas.tasks import Report, task_of
from worker.broker.contract import TAKEN_OVER, TARGET_PICTURE, Finding, JobRecord, JobState, Problem, input_name
from worker.broker.problems import internal_error, make_problem, out_of_memory, problem_from, timed_out
from worker.broker.queue import REDIS_UNUSABLE, TIMEOUT_GRACE_S
from worker.broker.store import AlreadyRuns
from worker.observe import tracing

from .interrupts import NotOurs, OutOfTime, ShuttingDown
from .listed_models import get_model
from .meter import Part
from .progress import ProgressHook
from .runtime import Runtime, current

OVERDUE_GRACE_S = 2 * TIMEOUT_GRACE_S  # after the task's own limit and RQ's alarm, the process ends itself

# The attempts are counted by the record, and a job put back hasn't used one.
PUT_BACK = Retry(max=1_000_000, enqueue_at_front=True)

log = structlog.get_logger(__name__)


Outcome = Retry | Literal["taken over"] | None
"""A `Retry` where the job goes back to the queue, `TAKEN_OVER` where it is another attempt's, None if it is settled."""


def run_job(job_id: str) -> Outcome:
    """Run a job and record its outcome; called by RQ, inside a worker that has set `runtime.current`.

    Only losing Redis for good raises, so RQ itself never retries a job that failed.
    """
    runtime = current.get()
    try:
        attempt = runtime.store.start(job_id, worker=runtime.name, lease_s=runtime.lease_s)
    except AlreadyRuns:
        log.info("another worker runs it", job=job_id)
        return TAKEN_OVER
    if attempt is None:  # deleted or canceled while it waited
        log.info("nothing to run", job=job_id)
        return None
    origin = runtime.store.origin(job_id)
    with (
        structlog.contextvars.bound_contextvars(job=job_id, attempt=attempt, request_id=origin.request_id),
        tracing.job_span(origin.traceparent, job=job_id, attempt=attempt),
    ):
        return _Attempt(runtime, job_id, attempt).run()


@dataclass(frozen=True)
class _Attempt:
    runtime: Runtime
    job_id: str
    attempt: int

    def run(self) -> Outcome:
        limit_s = self.runtime.settings.job_timeout_s
        self.runtime.activity.begin(self.job_id, attempt=self.attempt, limit_s=limit_s + OVERDUE_GRACE_S)
        log.info("job starts")
        try:
            self._explain(limit_s)
        except NotOurs:
            return self._leave()
        except ShuttingDown:
            return self._put_back()
        except (OutOfTime, JobTimeoutException):
            return self._fail(timed_out(limit_s))
        except REDIS_UNUSABLE:
            raise
        except Exception as error:
            if is_poisoned(error) and not self.runtime.activity.device.poison():
                return self._put_back()  # another job of this process may have done it
            problem = self._problem(error)
            error.__traceback__ = None  # its frames hold the tensors of the failed run
            free_memory()
            return self._fail(problem)
        finally:
            self.runtime.activity.end()
        return None

    def _explain(self, limit_s: float) -> None:
        hook = ProgressHook(self.runtime, self.job_id, attempt=self.attempt, limit_s=limit_s)
        record = self._record()
        tracing.note(task=record.params.task, model=record.params.model)
        with self.runtime.meter.of(Part.DECODE):
            images = [self._image(k, name, record.params.white_level) for k, name in enumerate(record.images)]
            picture = self._target_picture(record)
        model = get_model(self.runtime, record.params.model, go_on=self._check)
        self.runtime.activity.tick()
        with tracing.span("run engine"):
            outcome = run_task(
                model,
                images,
                record.params,
                names=record.images,
                on_progress=hook,
                max_lanes=self.runtime.settings.max_lanes,
                target_picture=picture,
                runner=self.runtime.runner,
            )
        kept = []
        for name, data in self.runtime.meter.each(Part.PICTURES, outcome.files):
            self._check()
            self._keep(name, data)
            kept.append(name)
        report = _of_job(outcome.report, record)
        self._keep(RESULT, report.model_dump_json().encode())
        single = task_of(record.params).single_files_of(record.params, kept)
        if not self._succeed(Finding.of(report), files=list(single.values())):
            raise NotOurs
        for name in [] if record.keep_images else record.inputs:
            self.runtime.patiently(lambda name=name: self.runtime.blobs.remove(self.job_id, name))  # type: ignore[misc]
        self._remember(record, digest=model.digest)
        self._count(iterations=hook.iterations)
        log.info("job succeeded", task=record.params.task, run_s=round(report.timing.run_s, 2))

    def _record(self) -> JobRecord:
        record = self.runtime.store.get(self.job_id)
        if record is None:
            raise NotOurs
        return record

    def _image(self, k: int, name: str, white_level: int | None) -> Image.Image:
        self.runtime.activity.tick()
        data = self.runtime.patiently(lambda: self.runtime.blobs.get(self.job_id, input_name(k)))
        if data is None:
            raise InvalidInput("the job's image is not stored any more: post it again", field="image")
        try:
            most = self.runtime.settings.max_pixels
            return ep_core.read_image(data, max_pixels=most, white_level=white_level)
        except InvalidInput as error:
            if name:
                error.detail = f"{name}: {error.detail}"
            raise

    def _target_picture(self, record: JobRecord) -> Image.Image | None:
        """Return the target's own picture: what its white level makes of it, or the region that a mask shows."""
        part = picture_of(record.params.target)
        if part is None:
            return None
        self.runtime.activity.tick()
        data = self.runtime.patiently(lambda: self.runtime.blobs.get(self.job_id, TARGET_PICTURE))
        if data is None:
            raise InvalidInput(f"the job's {part} is not stored any more: post it again", field=part)
        most = self.runtime.settings.max_pixels
        try:
            if part == "target_mask":
                return read_region(data, max_pixels=most)
            return ep_core.read_image(data, max_pixels=most, white_level=record.params.white_level)
        except InvalidInput as error:
            error.field = part
            raise

    def _check(self) -> None:
        """Show a sign of life, and stop where the job was deleted, canceled or taken over."""
        self.runtime.activity.tick()
        if not self.runtime.patiently(lambda: self.runtime.store.holds(self.job_id, attempt=self.attempt)):
            raise NotOurs

    def _keep(self, name: str, data: bytes) -> None:
        """Store a blob for as long as results are kept, so that nothing stays for ever where the worker dies now."""
        blobs = self.runtime.blobs
        with self.runtime.meter.of(Part.STORE):
            self.runtime.patiently(lambda: blobs.put(self.job_id, name, data))
            self.runtime.patiently(lambda: blobs.expire(self.job_id, self.runtime.settings.retention_s))

    def _succeed(self, found: Finding, *, files: list[str]) -> bool:
        tracing.note(state=JobState.SUCCEEDED.value)
        finish = partial(self.runtime.store.finish, self.job_id, JobState.SUCCEEDED, attempt=self.attempt)
        return self.runtime.patiently(lambda: finish(found=found, files=files))

    def _fail(self, problem: Problem) -> Outcome:
        log.info("job failed", problem=problem.type)
        tracing.note(state=JobState.FAILED.value)
        tracing.fail(problem.type)
        if self.runtime.patiently(lambda: self.runtime.fail(self.job_id, problem, attempt=self.attempt)) is None:
            return self._leave()
        self._count()
        return None

    def _remember(self, record: JobRecord, *, digest: str) -> None:
        """Offer the result for later requests with the same content."""
        with suppress(*REDIS_UNUSABLE):
            self.runtime.results.tell_model(record.params.model, digest)  # Redis may have lost it
            if record.content is not None:
                self.runtime.results.add(record.content, model=record.params.model, job_id=record.id)

    def _count(self, *, iterations: int = 0) -> None:
        """Count the settled job; that Redis is away is no reason for it to fail."""
        self.runtime.tell_spent()
        with suppress(*REDIS_UNUSABLE):
            record = self.runtime.store.get(self.job_id)
            if record is not None and record.started_at is not None and record.finished_at is not None:
                self.runtime.stats.ran(
                    record.params.task,
                    record.state,
                    waited_s=(record.started_at - record.created_at).total_seconds(),
                    ran_s=(record.finished_at - record.started_at).total_seconds(),
                    share_s=self.runtime.activity.share_s(),
                    iterations=iterations,
                )

    def _leave(self) -> Outcome:
        """Stop without a word; what this attempt stored goes too, unless the job is another attempt's by now."""
        record = self.runtime.patiently(lambda: self.runtime.store.get(self.job_id))
        state = record.state.value if record else "deleted"
        tracing.note(state=state)
        log.info("job stopped", state=state)
        if record is not None and record.attempt != self.attempt:
            return TAKEN_OVER
        if record is None or record.state is JobState.CANCELED:
            self.runtime.blobs.delete(self.job_id)
        elif record.state is JobState.FAILED:  # by the janitor, meanwhile
            self.runtime.clear(record)
        return None

    def _put_back(self) -> Outcome:
        if self.runtime.patiently(lambda: self.runtime.store.give_back(self.job_id, attempt=self.attempt)):
            tracing.note(state=JobState.QUEUED.value)
            log.info("job put back, the worker shuts down")
            return PUT_BACK
        return self._leave()

    def _problem(self, error: Exception) -> Problem:
        """Return the problem for the caller; what only the operator should see goes to the log."""
        if isinstance(error, InvalidInput | ModelUnavailable):
            return problem_from(error)
        incident = uuid4().hex[:12]
        log.error("job failed unexpectedly", incident=incident, exc_info=error)
        if is_out_of_memory(error):
            return out_of_memory()
        if is_poisoned(error):
            return make_problem("device-failed", "The worker's GPU failed during this job. Post the job again.")
        return internal_error(incident)


def _of_job(report: Report, record: JobRecord) -> Report:
    """Return the engine's report with how long the job waited; its id and its links are the API's to add."""
    queued_s = (record.started_at - record.created_at).total_seconds() if record.started_at else None
    timing = report.timing.model_copy(update={"queued_s": queued_s})
    return report.model_copy(update={"timing": timing})
