"""Requests that are sent again: when, after which pause, and when no more."""

from __future__ import annotations

import pytest
from extremal_client import (
    InvalidRequest,
    NotAllowed,
    NotFound,
    ServiceError,
    Unavailable,
    UnexpectedAnswer,
    Unreachable,
)
from extremal_client.core.messages import Answer
from extremal_client.core.retries import call
from extremal_client.core.steps import Lost

from .playing import URL, Script, answer, problem


def gone() -> Lost:
    return Lost("connection refused")


def test_a_lost_answer_is_asked_for_again_with_pauses_that_double() -> None:
    script = Script([gone(), gone(), gone(), answer({"models": []})])
    site = script.site()
    request = site.request("create_job").with_headers(Idempotency_Key="once")
    assert script.play(call(site, request)).json() == {"models": []}
    assert script.pauses == [0.5, 1.0, 2.0]
    assert script.requests == [request] * 4  # the key, too: it makes one job


def test_retries_end_and_say_which_address_gave_no_answer() -> None:
    script = Script([gone()] * 5)
    site = script.site(retry_s=10)
    with pytest.raises(Unreachable, match=r"http://service\.test/v1/models for 10 s \(connection refused\).*EP_URL"):
        script.play(call(site, site.request("get_models")))
    assert script.pauses == [0.5, 1, 2, 4]


@pytest.mark.parametrize("slug", ["rate-limited", "queue-full", "too-many-at-once", "unavailable"])
def test_come_back_later_is_done_as_the_answer_says(slug: str) -> None:
    script = Script([problem(slug, 503 if slug == "unavailable" else 429, retry_after=7), answer({})])
    site = script.site()
    script.play(call(site, site.request("get_models")))
    assert script.pauses == [7]


def test_a_time_to_wait_beyond_that_for_retries_is_told_at_once() -> None:
    script = Script([problem("queue-full", 429, "100 jobs wait already.", retry_after=90)])
    site = script.site(retry_s=60)
    with pytest.raises(Unavailable, match="100 jobs wait already") as caught:
        script.play(call(site, site.request("get_models")))
    assert (caught.value.retry_after_s, caught.value.slug, script.pauses) == (90, "queue-full", [])


def test_a_proxy_without_its_upstream_is_waited_for() -> None:
    for status in (502, 503, 504):
        script = Script([Answer(status, {"content-type": "text/html"}, b"<h1>Bad gateway</h1>"), answer({})])
        site = script.site()
        script.play(call(site, site.request("get_models")))
        assert script.pauses == [0.5]


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (problem("invalid-input", 422), InvalidRequest),
        (problem("upload-too-large", 413), InvalidRequest),
        (problem("unsupported-type", 415), InvalidRequest),
        (problem("not-found", 404), NotFound),
        (problem("forbidden", 403), NotAllowed),
        (problem("model-unavailable", 503), Unavailable),
        (problem("internal-error", 500), ServiceError),
    ],
)
def test_what_time_does_not_mend_is_told_at_once(refusal: Answer, kind: type[ServiceError]) -> None:
    script = Script([refusal])
    site = script.site()
    with pytest.raises(kind) as caught:
        script.play(call(site, site.request("get_models")))
    assert type(caught.value) is kind
    assert script.pauses == []


def test_a_problem_says_what_to_change() -> None:
    nearest = {"field": "areas.2", "detail": "2.0 is too large", "nearest": ["area"]}
    refusal = problem("invalid-input", 422, "areas.2: 2.0 is too large", errors=[nearest], request_id="r-1")
    script = Script([refusal])
    site = script.site()
    with pytest.raises(InvalidRequest) as caught:
        script.play(call(site, site.request("get_models")))
    error = caught.value
    assert (error.status, error.type, error.detail) == (422, "/problems/invalid-input", "areas.2: 2.0 is too large")
    assert (error.field, error.nearest, error.request_id) == ("areas.2", ["area"], "r-1")
    assert str(error) == "areas.2: 2.0 is too large (422, invalid-input)"


def test_a_missing_key_names_the_argument_that_gives_it() -> None:
    script = Script([problem("unauthorized", 401)])
    site = script.site()
    with pytest.raises(NotAllowed) as caught:
        script.play(call(site, site.request("get_models")))
    assert "EP_KEY" in caught.value.__notes__[0]


def test_another_server_is_not_taken_for_the_service() -> None:
    for strange, said in [
        (Answer(200, {"content-type": "text/html"}, b"<html>", URL), "text/html where JSON was expected"),
        (Answer(301, {"location": "https://service.test/"}, b"", URL), "leads to https://service.test/"),
    ]:
        script = Script([strange])
        site = script.site()
        with pytest.raises(UnexpectedAnswer, match=said):
            script.play(call(site, site.request("get_models"))).json()


def test_a_removal_whose_answer_was_lost_is_done_where_nothing_is_left() -> None:
    script = Script([gone(), problem("not-found", 404)])
    site = script.site()
    script.play(call(site, site.follow("/v1/jobs/1", method="DELETE"), removes=True))
    script = Script([problem("not-found", 404)])
    site = script.site()
    with pytest.raises(NotFound):
        script.play(call(site, site.follow("/v1/jobs/1", method="DELETE"), removes=True))
