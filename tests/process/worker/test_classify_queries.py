"""Classifications by a real worker: right, also while it runs a job, and independent of earlier ones."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from redis import Redis

from ep_core.models import Classifier
from tests.small_jobs import MASKS_ONLY
from worker.broker import classify_queries, queue
from worker.broker.classify_queries import Classified, ClassifyQuery
from worker.broker.contract import Problem
from worker.process import classify_thread
from worker.settings import WorkerSettings

from .conftest import Client, WorkerProcess, is_running

LONG = {"areas": (0.1, 0.4), "iterations": 5000}  # takes minutes
ANSWER_S = 30.0


def ask(redis: Redis, image: bytes, *, within_s: float = ANSWER_S, **fields: Any) -> Classified | Problem:
    """Send a query as the API does, and return its answer."""
    query = ClassifyQuery(**fields)
    assert classify_queries.post(redis, query, image, wait_s=within_s)
    deadline = time.monotonic() + within_s
    while not (found := redis.blpop([classify_queries.answer_key(query.id)], timeout=1)):
        assert time.monotonic() < deadline, "no answer"
    return classify_queries.read_answer(found[1])


@pytest.mark.parametrize("fit", ["crop", "stretch"])
def test_the_classes_are_those_of_the_networks_own_forward_pass(
    shared: Client, bear: bytes, mobilenet: Classifier, sample: Callable[[str], Image.Image], fit: Any
):
    said = ask(shared.redis, bear, top=3, fit=fit)
    with mobilenet.frozen() as network, torch.no_grad():
        scores = network(mobilenet.preprocess(sample("black_bear"), fit)[0])[0]
    best = scores.topk(3)
    assert isinstance(said, Classified)
    assert said.model == "mobilenet_v2"
    assert [found.index for found in said.classes] == best.indices.tolist()
    assert said.classes[0].label == mobilenet.labels[said.classes[0].index]
    assert [found.score for found in said.classes] == pytest.approx(best.values.tolist(), rel=1e-4)
    expected = scores.softmax(0)[best.indices].tolist()
    assert [found.probability for found in said.classes] == pytest.approx(expected, rel=1e-3)


def test_no_more_classes_are_named_than_there_are(shared: Client, bear: bytes):
    said = ask(shared.redis, bear, model="none", top=20)
    assert isinstance(said, Classified)
    assert sorted(found.label for found in said.classes) == ["no", "yes"]
    assert sum(found.probability for found in said.classes) == pytest.approx(1)


def test_it_answers_within_moments_while_a_job_runs(shared: Client, bear: bytes):
    ask(shared.redis, bear)  # the model is loaded now
    job_id = shared.post(bear, **LONG)
    shared.wait_iterating(job_id)
    for _ in range(3):
        assert isinstance(ask(shared.redis, bear, within_s=3), Classified)
    assert is_running(shared.get(job_id))
    shared.delete(job_id)


def test_jobs_that_begin_meanwhile_disturb_nothing(shared: Client, bear: bytes):
    """A job begins by a trace of its network, during which no other network can be called."""
    quick = MASKS_ONLY | {"areas": (0.5,), "iterations": 1}
    jobs = [shared.post(bear, **quick) for _ in range(4)]
    while not shared.get(jobs[-1]).state.is_final:
        assert isinstance(ask(shared.redis, bear), Classified)
    assert [shared.get(job_id).state for job_id in jobs] == ["succeeded"] * 4


@pytest.mark.parametrize(
    ("image", "fields", "problem"),
    [
        (None, {"model": "nope"}, {"type": "/problems/unknown-name", "status": 422, "field": "model"}),
        (b"no picture", {}, {"type": "/problems/unreadable-image", "status": 422}),
        (None, {"model": "raises"}, {"type": "/problems/internal-error", "status": 500}),
        (None, {"model": "hungry"}, {"type": "/problems/out-of-memory", "status": 503}),
    ],
)
def test_what_cannot_be_answered_is_said_and_the_next_one_is(
    shared: Client, bear: bytes, image: bytes | None, fields: dict[str, Any], problem: dict[str, object]
):
    said = ask(shared.redis, bear if image is None else image, **fields)
    assert isinstance(said, Problem)
    assert said.model_dump().items() >= problem.items()
    assert "secret" not in said.model_dump_json()
    assert isinstance(ask(shared.redis, bear), Classified)


def test_nothing_is_left(shared: Client, bear: bytes):
    ask(shared.redis, bear)
    assert not [key for key in shared.redis.scan_iter() if key.startswith((b"ep:ask", b"ep:answer"))]


def test_what_nobody_waits_for_any_more_is_dropped(redis: Redis):
    late, gone = ClassifyQuery(), ClassifyQuery()
    assert classify_queries.post(redis, late, b"image", wait_s=0.01)
    assert classify_queries.post(redis, gone, b"image", wait_s=60)
    classify_queries.withdraw(redis, gone)
    time.sleep(0.05)
    assert classify_queries.take(redis, wait_s=0.1) is None
    assert redis.keys() == []


def test_so_many_wait_and_no_more(redis: Redis):
    waiting = [ClassifyQuery() for _ in range(classify_queries.MOST_WAITING)]
    assert all(classify_queries.post(redis, one, b"image", wait_s=60) for one in waiting)
    assert not classify_queries.post(redis, ClassifyQuery(), b"image", wait_s=60)
    assert len(redis.keys("ep:ask:*")) == classify_queries.MOST_WAITING
    assert classify_queries.take(redis, wait_s=1) == (waiting[0], b"image")
    assert classify_queries.post(redis, ClassifyQuery(), b"image", wait_s=60)


def test_the_thread_leaves_the_others_their_cores(new_database: Callable[[], str]):
    url, ending, before = new_database(), threading.Event(), torch.get_num_threads()
    thread = classify_thread.start(queue.connect(url), WorkerSettings(redis_url=url), ending)
    torch.set_num_threads(before)
    ending.set()
    thread.join(5)
    assert not thread.is_alive()
    assert torch.get_num_threads() == before

    alone: list[int] = []

    def look() -> None:
        classify_thread.compute_alone()
        go_on.wait()
        torch.ones(10).sum()
        alone.append(torch.get_num_threads())

    go_on = threading.Event()
    looking = threading.Thread(target=look)
    looking.start()
    time.sleep(0.1)
    torch.set_num_threads(before)
    go_on.set()
    looking.join()
    assert alone == [1]


def test_a_question_that_cannot_be_read_is_no_end(
    redis: Redis, unit_url: str, bear: bytes, models_file: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(classify_thread, "PAUSE_S", 0.01)
    redis.rpush("ep:asks", b"\xff{")
    ending = threading.Event()
    settings = WorkerSettings(redis_url=unit_url, models_file=models_file)
    threading.Thread(target=classify_thread.run_answers, args=(redis, settings, ending), daemon=True).start()
    assert isinstance(ask(redis, bear), Classified)
    ending.set()


def test_a_worker_asked_to_end_does_so(own: Callable[..., tuple[Client, WorkerProcess]], bear: bytes):
    client, process = own()
    assert isinstance(ask(client.redis, bear, model="none"), Classified)
    process.send(signal.SIGTERM)
    assert process.wait(within_s=15) == 0
