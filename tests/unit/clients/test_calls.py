"""What the client's methods send, and what they make of the answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from extremal_client import Explanation, JobFailed, JobRemoved
from extremal_client.core.calls import Calls
from extremal_client.core.messages import Answer, Request
from extremal_client.core.steps import Lost

from ep_core.schemas.reports.extremal import ExtremalReport
from service.http.links import Links
from service.jobs.examples import REPORT
from service.jobs.links import linked

from .playing import JOB_ID, Script, answer, event, job_document, problem

STREAM = Answer(200, {"content-type": "text/event-stream"})
SUCCEEDED = event("state", job_document("succeeded"))


def report() -> dict[str, Any]:
    return linked(ExtremalReport.model_validate(REPORT), JOB_ID, Links()).model_dump(mode="json")


def calls(script: Script) -> Calls[str]:
    return Calls(script.site(), lambda link: link)


def params_of(request: Request) -> Any:
    (part,) = [part for part in request.form if part.name == "params"]
    return json.loads(part.content)


def test_explain_posts_follows_and_fetches() -> None:
    script = Script([answer(job_document(), 202), STREAM, SUCCEEDED, b"", answer(report())])
    seen: list[str] = []
    result = script.play(
        calls(script).explain(b"image", target="bus", reuse=False, progress=lambda job: seen.append(job.status))
    )
    assert isinstance(result, Explanation)
    assert (result.optimal_area, result.target.label) == (REPORT["optimal_area"], "American black bear")
    assert seen == ["queued", "succeeded"]
    post, _, fetch = script.requests
    assert (post.method, post.url) == ("POST", "http://service.test/v1/jobs")
    assert params_of(post) == {"task": "extremal", "target": "bus"}
    assert [(part.name, part.content) for part in post.form if part.name != "params"] == [
        ("image", b"image"),
        ("reuse", b"false"),
    ]
    assert fetch.url == f"http://service.test/v1/jobs/{JOB_ID}/result"


def test_a_post_whose_answer_was_lost_is_sent_again_as_the_same_request() -> None:
    script = Script([Lost("reset"), answer(job_document("running"), 202)])
    assert script.play(calls(script).submit("extremal", b"image")).status == "running"
    first, again = script.requests
    assert first is again
    assert len(first.headers["Idempotency-Key"]) == 32
    other, named = Script([answer(job_document())]), Script([answer(job_document())])
    other.play(calls(other).submit("extremal", b"image"))
    named.play(calls(named).submit("extremal", b"image", idempotency_key="order-1"))
    assert other.requests[0].headers["Idempotency-Key"] != first.headers["Idempotency-Key"]
    assert named.requests[0].headers["Idempotency-Key"] == "order-1"


def test_a_known_result_needs_no_stream() -> None:
    script = Script([answer(job_document("succeeded", cached=True)), answer(report())])
    assert script.play(calls(script).explain(b"image", progress=False)).job.cached


def test_each_task_is_posted_under_its_name() -> None:
    for name in ("compare", "channels", "class_channels"):
        script = Script([problem("invalid-input", 422)])
        method = getattr(calls(script), name)
        images = [b"1", b"2"] if name == "class_channels" else b"1"
        with pytest.raises(Exception, match="Something is wrong"):
            script.play(method(images, layer="features.18"))
        assert params_of(script.requests[0]) == {"task": name, "layer": "features.18"}
        sent = [part.content for part in script.requests[0].form if part.name == "image"]
        assert sent == ([b"1", b"2"] if name == "class_channels" else [b"1"])


def test_a_failed_job_raises_its_problem() -> None:
    error = {"type": "/problems/timed-out", "title": "Timed out", "status": 504, "detail": "Ask for fewer areas."}
    failed = event("state", job_document("failed", error=error | {"field": "areas"}))
    script = Script([answer(job_document()), STREAM, failed, b""])
    with pytest.raises(JobFailed, match="Ask for fewer areas") as caught:
        script.play(calls(script).explain(b"image"))
    assert (caught.value.slug, caught.value.field, caught.value.job.id) == ("timed-out", "areas", JOB_ID)
    canceled = Script([answer(job_document("canceled"))])
    with pytest.raises(JobRemoved):
        canceled.play(calls(canceled).explain(b"image"))


def test_a_stop_says_how_to_go_on() -> None:
    script = Script([answer(job_document())])
    flow = calls(script).explain(b"image")
    flow.send(None)
    flow.send(answer(job_document()))  # and now it listens
    with pytest.raises(KeyboardInterrupt) as caught:
        flow.throw(KeyboardInterrupt())
    assert f"client.result('{JOB_ID}')" in caught.value.__notes__[0]


def test_watching_emits_events() -> None:
    script = Script([answer(job_document()), STREAM, event("preview", {"masks": [1]}), SUCCEEDED, b""])
    script.play(calls(script).watch(JOB_ID))
    assert [(one.kind, one.job.status) for one in script.emitted] == [("preview", "queued"), ("state", "succeeded")]
    assert script.emitted[0].data == {"masks": [1]}


def test_lists_go_on_over_their_pages() -> None:
    first = {"jobs": [job_document(id="1"), job_document(id="2")], "next": "/v1/jobs?cursor=abc"}
    script = Script([answer(first), answer({"jobs": [job_document(id="3")], "next": None})])
    script.play(calls(script).jobs(status="queued"))
    assert [job.id for job in script.emitted] == ["1", "2", "3"]
    assert [request.url.partition("/v1")[2] for request in script.requests] == [
        "/jobs?status=queued",
        "/jobs?cursor=abc",
    ]


def test_canceling_leaves_what_is_finished() -> None:
    script = Script([answer(job_document("running")), Answer(204, {})])
    assert script.play(calls(script).cancel(JOB_ID)) is True
    assert [request.method for request in script.requests] == ["GET", "DELETE"]
    script = Script([answer(job_document("succeeded"))])
    assert script.play(calls(script).cancel(JOB_ID)) is False


def test_deleting_takes_a_job_or_its_id() -> None:
    script = Script([answer(job_document()), Answer(204, {})])
    core = calls(script)
    script.play(core.delete(JOB_ID))
    assert [(one.method, one.url.rpartition("/")[2]) for one in script.requests] == [
        ("GET", JOB_ID),
        ("DELETE", JOB_ID),
    ]
    script = Script([answer({"deleted": 12})])
    assert script.play(calls(script).delete_all()) == 12
    assert script.requests[0].url.endswith("/v1/jobs?all=true")


def test_classes_models_and_tasks(tmp_path: Path) -> None:
    seen = {"model": "m", "classes": [{"index": 295, "label": "bear", "score": 13.8, "probability": 0.9}]}
    script = Script([answer(seen)])
    found = script.play(calls(script).classify(b"image", top=1, model="m"))
    assert found.classes[0].label == "bear"
    assert {part.name: part.content for part in script.requests[0].form} == {
        "image": b"image",
        "top": b"1",
        "model": b"m",
    }
    script = Script([answer({"default": "m", "models": []})])
    assert script.play(calls(script).models()).default == "m"
    script = Script([answer({"default": "extremal", "tasks": []})])
    assert script.play(calls(script).tasks()).default == "extremal"
