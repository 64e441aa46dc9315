"""One warm worker process, the real network, and jobs posted as the API posts them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from ep_core.schemas.reports.extremal import ExtremalReport
from ep_core.schemas.reports.file_names import (
    CONTRAST_KEY,
    CURVE,
    PAGE,
    RESULT,
    REVEAL,
    SALIENCY,
    mask_name,
    overlay_name,
)
from service.access.caller import Caller
from service.removal.service import Removals
from service.settings import ApiSettings
from tests.small_jobs import MASKS_ONLY
from worker.broker import catalogue
from worker.broker.contract import INPUT, JobState, Priority, is_input
from worker.broker.liveness import live_workers
from worker.broker.queue import TIMEOUT_GRACE_S
from worker.broker.reuse import KnownResults

from .small_jobs import TINY

if TYPE_CHECKING:
    from conftest import Client

    from ep_core.models import Classifier

QUICK = {"areas": (0.1, 0.3), "iterations": 3}
LONG = {"areas": (0.1,), "iterations": 5000}  # takes minutes
SOON_S = 10.0  # a moment is meant


def test_a_job_runs_from_the_image_to_the_result(shared: Client, bear: bytes):
    job_id = shared.post(bear, **QUICK)
    record = shared.wait_final(job_id)
    assert record.state is JobState.SUCCEEDED, record.error
    assert (record.attempt, record.progress.fraction) == (1, 1.0)
    assert 2 <= record.progress.iteration == record.progress.total <= 3 * 4  # an alternative and a contrast, too
    assert [point.area for point in record.partial_curve] == [0.1, 0.3]
    pictures = {SALIENCY, CURVE, PAGE, REVEAL} | {
        name
        for key in (0.1, 0.3, CONTRAST_KEY)
        for name in (mask_name(key), mask_name(key, frame="model"), overlay_name(key))
    }
    assert {name for name in shared.blobs.names(job_id) if not is_input(name)} == pictures | {RESULT}
    assert set(record.files) == {SALIENCY, CURVE, PAGE, REVEAL}
    assert shared.blobs.get(job_id, mask_name(0.1)).startswith(b"\x89PNG")


def test_the_result_says_how_long_its_job_waited(shared: Client, bear: bytes):
    job_id = shared.post(bear, **TINY)
    shared.wait_final(job_id)
    report = ExtremalReport.model_validate_json(shared.blobs.get(job_id, RESULT))
    assert report.timing.queued_s >= 0


def test_a_finished_job_leaves_only_what_expires(shared: Client, bear: bytes):
    job_id = shared.post(bear, **TINY)
    shared.wait_final(job_id)
    shared.wait_tidy(job_id, "ep:blobs", "ep:job")
    assert all(shared.redis.ttl(key) > 0 for key in shared.keys_of(job_id))


def test_a_kept_image_stays_as_long_as_the_result(shared: Client, bear: bytes):
    job_id = shared.post(bear, fields={"keep_images": True}, **TINY)
    assert shared.wait_final(job_id).state is JobState.SUCCEEDED
    assert shared.blobs.get(job_id, INPUT) == bear
    assert 0 < shared.redis.ttl(f"ep:blobs:{job_id}") <= 24 * 3600


def test_a_kept_image_outlives_a_failure(shared: Client, bear: bytes):
    job_id = shared.post(bear, fields={"keep_images": True}, **TINY | {"model": "raises"})
    assert shared.wait_final(job_id).state is JobState.FAILED
    deadline = time.monotonic() + SOON_S
    while (ttl_s := shared.redis.ttl(f"ep:blobs:{job_id}")) < 0:  # set a moment after the job has failed
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert ttl_s <= 24 * 3600
    assert shared.blobs.names(job_id) == [INPUT]


def test_a_result_is_known_by_its_content_and_weights(shared: Client, bear: bytes, mobilenet: Classifier):
    job_id = shared.post(bear, fields={"content": "abc"}, areas=(0.1,), iterations=1, **MASKS_ONLY)
    shared.wait_final(job_id)
    results = KnownResults(shared.redis, retention_s=600)
    deadline = time.monotonic() + SOON_S
    while results.find("abc", model="mobilenet_v2") != job_id:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert results.find("abcd", model="mobilenet_v2") is None
    assert shared.redis.hget("ep:models:weights", "mobilenet_v2").decode() == mobilenet.digest


def test_progress_and_a_partial_curve_are_seen_on_the_way(shared: Client, bear: bytes):
    job_id = shared.post(bear, **LONG)
    first = shared.wait_iterating(job_id)
    later = shared.wait(
        job_id, lambda r: r.progress.iteration > first.progress.iteration and r.progress.eta_s is not None
    )
    assert later.progress.iteration < later.progress.total <= 3 * 5000  # an alternative and a contrast, too
    assert later.progress.eta_s > 0
    assert [point.area for point in later.partial_curve] == [0.1]
    shared.delete(job_id)


def test_a_deleted_job_stops_within_a_second_and_leaves_nothing(shared: Client, bear: bytes):
    job_id = shared.post(bear, **LONG)
    shared.wait_iterating(job_id)
    shared.delete(job_id)
    shared.wait_tidy(job_id, within_s=1.0)
    assert shared.wait_final(shared.post(bear, **TINY)).state is JobState.SUCCEEDED


def test_all_jobs_deleted_at_once_stop_too(shared: Client, bear: bytes):
    settings = ApiSettings()
    running = shared.post(bear, **LONG)
    shared.wait_iterating(running)  # or it may be the turn of one of low priority
    waiting = shared.post(bear, fields={"priority": Priority.LOW}, **LONG)
    Removals(shared.redis, settings).remove_all(Caller.of(None, settings))
    assert shared.keys_of(waiting) == []
    shared.wait_tidy(running, within_s=1.0)
    assert shared.wait_final(shared.post(bear, **TINY)).state is JobState.SUCCEEDED


def test_a_canceled_job_stops_and_stays_canceled(shared: Client, bear: bytes):
    job_id = shared.post(bear, **LONG)
    shared.wait_iterating(job_id)
    assert shared.store.finish(job_id, JobState.CANCELED)
    shared.wait_tidy(job_id, "ep:job", within_s=1.0)
    assert shared.get(job_id).state is JobState.CANCELED


def test_a_job_deleted_while_it_waits_never_runs(shared: Client, bear: bytes):
    first, second = shared.post(bear, **LONG), shared.post(bear, **QUICK)
    shared.wait_iterating(first)
    shared.delete(second)
    shared.delete(first)
    assert shared.wait_final(shared.post(bear, **TINY)).state is JobState.SUCCEEDED
    assert shared.keys_of(second) == []


@pytest.mark.parametrize(
    ("image", "params", "problem"),
    [
        (b"not a picture", TINY, {"type": "/problems/unreadable-image", "status": 422, "field": "image"}),
        (None, QUICK | {"target": "bear"}, {"type": "/problems/unknown-name", "status": 422, "field": "target"}),
        (None, QUICK | {"target": 5000}, {"type": "/problems/invalid-input", "status": 422, "field": "target"}),
        (None, TINY | {"model": "nope"}, {"type": "/problems/unknown-name", "status": 422, "field": "model"}),
        (None, TINY | {"model": "raises"}, {"type": "/problems/internal-error", "status": 500}),
        (None, TINY | {"model": "hungry"}, {"type": "/problems/out-of-memory", "status": 503}),
    ],
)
def test_a_job_that_cannot_be_done_fails_with_its_reason_and_the_worker_goes_on(
    shared: Client, bear: bytes, image: bytes | None, params: dict[str, object], problem: dict[str, object]
):
    job_id = shared.post(bear if image is None else image, **params)
    record = shared.wait_final(job_id)
    assert record.state is JobState.FAILED
    assert record.attempt == 1  # trying again would fail again
    assert record.error.model_dump().items() >= problem.items()
    shared.wait_tidy(job_id, "ep:job")  # nothing it has stored stays
    assert shared.wait_final(shared.post(bear, **TINY)).state is JobState.SUCCEEDED


def test_the_nearest_labels_come_along(shared: Client, bear: bytes):
    record = shared.wait_final(shared.post(bear, **QUICK | {"target": "american black bare"}))
    assert "American black bear" in record.error.model_dump()["nearest"]


def test_the_trace_lies_in_the_log_alone_under_the_incidents_id(shared: Client, bear: bytes, worker_log: Path):
    record = shared.wait_final(shared.post(bear, **TINY | {"model": "raises"}))
    incident = record.error.model_dump()["incident"]
    assert "secret" not in record.model_dump_json()
    log = worker_log.read_text()
    assert incident in record.error.detail
    assert "secret of the network" in log[log.index(incident) :]


def test_the_logs_lines_of_a_job_name_the_request_that_posted_it(shared: Client, bear: bytes, worker_log: Path):
    request_id = uuid4().hex
    fields = {"request_id": request_id}
    failed = shared.post(bear, fields=fields, **TINY | {"model": "raises"})
    shared.wait_final(failed)
    other = shared.post(bear, **TINY)
    shared.wait_final(other)

    lines = worker_log.read_text().splitlines()
    told = [line for line in lines if failed in line]
    assert {text for line in told for text in ("job starts", "job failed unexpectedly") if text in line} == {
        "job starts",
        "job failed unexpectedly",
    }
    assert all(f"request_id={request_id}" in line for line in told)
    assert not any(request_id in line for line in lines if other in line)


def test_rqs_alarm_ends_a_job_that_missed_its_limit(shared: Client, bear: bytes):
    job_id = shared.post(bear, timeout_s=2 - TIMEOUT_GRACE_S, **LONG)
    record = shared.wait_final(job_id)
    assert (record.state, record.error.type) == (JobState.FAILED, "/problems/timed-out")


def test_the_worker_publishes_its_models(shared: Client):
    assert {"mobilenet_v2", "raises"} <= set(catalogue.names(shared.redis))
    assert len(catalogue.get(shared.redis, "mobilenet_v2").labels) == 1000


def test_the_health_check(shared: Client, new_database: Callable[[], str]):
    def check(url: str) -> int:
        env = os.environ | {"EP_REDIS_URL": url}
        return subprocess.run([sys.executable, "-m", "worker", "--check"], env=env, capture_output=True).returncode

    url = shared.redis.connection_pool.connection_kwargs
    alive = f"redis://:{url['password']}@{url['host']}:{url['port']}/{url['db']}"
    assert live_workers(shared.redis) == 1
    assert check(alive) == 0
    assert check(new_database()) == 1
    assert check("redis://127.0.0.1:1/0") == 1
