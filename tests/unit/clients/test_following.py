"""A job followed over broken streams."""

from __future__ import annotations

import pytest
from extremal_client import JobRemoved, NotFound, Unreachable
from extremal_client.core.events import EventParser
from extremal_client.core.following import follow
from extremal_client.core.messages import Answer
from extremal_client.core.reading import read_as
from extremal_client.core.steps import Lost
from extremal_client.generated.schemas import JobRead

from .playing import JOB_ID, Script, answer, event, job_document, problem

STREAM = Answer(200, {"content-type": "text/event-stream"})
PROGRESS = {"progress": {"iteration": 40, "total": 100, "fraction": 0.4, "ended": []}, "partial_curve": []}


def follow_all(script: Script, *, retry_s: float = 60.0) -> tuple[JobRead, list[str]]:
    """The job as it ends, and what was told on the way."""
    told: list[str] = []
    queued = read_as(JobRead, job_document())
    flow = follow(script.site(retry_s=retry_s), queued, lambda job: told.append(job.status))
    return script.play(flow), told


def test_events_are_followed_to_the_end() -> None:
    pieces = [event("state", job_document("running"), "1-0"), event("progress", PROGRESS, "2-0")]
    script = Script([STREAM, *pieces, event("state", job_document("succeeded"), "3-0"), b""])
    job, told = follow_all(script)
    assert job.status == "succeeded"
    assert told == ["running", "running", "succeeded"]
    assert [(one.kind, one.job.progress and one.job.progress.fraction) for one in script.emitted] == [
        ("state", None),
        ("progress", 0.4),
        ("state", None),
    ]
    assert script.requests[0].url == f"http://service.test/v1/jobs/{JOB_ID}/events"
    assert "Last-Event-ID" not in script.requests[0].headers


def test_after_a_lost_connection_it_goes_on_behind_the_last_event() -> None:
    running = event("state", job_document("running"), "1-0")
    last = event("state", job_document("succeeded"), "9-0")
    script = Script(
        [STREAM, running, event("progress", PROGRESS, "2-5"), Lost("reset"), Lost("refused"), STREAM, last, b""]
    )
    assert follow_all(script)[0].status == "succeeded"
    assert [one.headers.get("Last-Event-ID") for one in script.requests] == [None, "2-5", "2-5"]
    assert script.pauses == [0.5, 1.0]


def test_a_stream_that_ends_before_the_job_is_resumed_too() -> None:
    script = Script(
        [STREAM, event("progress", PROGRESS, "2-5"), b"", STREAM, event("state", job_document("failed")), b""]
    )
    assert follow_all(script)[0].status == "failed"
    assert len(script.requests) == 2


def test_what_ended_while_the_connection_was_lost_is_looked_up() -> None:
    over = Answer(204, {})
    script = Script(
        [STREAM, event("progress", PROGRESS, "2-5"), Lost("reset"), over, answer(job_document("succeeded"))]
    )
    assert follow_all(script)[0].links.masks == {"0.1": f"/v1/jobs/{JOB_ID}/masks/0.1.png"}
    assert script.requests[-1].url.endswith(f"/v1/jobs/{JOB_ID}")


def test_news_renew_the_time_for_retries_and_silence_ends_it() -> None:
    losses = [STREAM, b": keep-alive\n\n", Lost("reset")] * 30
    script = Script([*losses, STREAM, event("state", job_document("succeeded")), b""])
    follow_all(script, retry_s=3)
    with pytest.raises(Unreachable):
        follow_all(Script([Lost("refused")] * 3), retry_s=3)


def test_a_service_that_is_busy_is_asked_again_and_a_lost_job_is_told() -> None:
    later = problem("unavailable", 503, retry_after=5)
    script = Script([later, STREAM, event("state", job_document("succeeded")), b""])
    follow_all(script)
    assert script.pauses == [5]
    with pytest.raises(NotFound):
        follow_all(Script([problem("not-found", 404)]))


def test_a_removed_job_is_told() -> None:
    with pytest.raises(JobRemoved, match=JOB_ID):
        follow_all(Script([STREAM, event("deleted", {}, "4-0")]))


def test_a_finished_job_needs_no_stream() -> None:
    script = Script([])
    done = read_as(JobRead, job_document("succeeded"))
    assert script.play(follow(script.site(), done, lambda job: None)) is done


def test_events_are_read_however_they_are_cut() -> None:
    whole = (
        b": keep-alive\n\n"
        + event("state", {"a": "ä\n"}, "1-0")
        + b"event: x\r\ndata: [1,\r\ndata: 2]\r\n\r\nid: 3\n\n"
    )
    for size in (1, 2, 3, 7, len(whole)):
        parser = EventParser()
        pieces = [whole[k : k + size] for k in range(0, len(whole), size)]
        found = [message for piece in pieces for message in parser.feed(piece)]
        assert [(one.kind, one.data, one.id) for one in found] == [("state", {"a": "ä\n"}, "1-0"), ("x", [1, 2], None)]
