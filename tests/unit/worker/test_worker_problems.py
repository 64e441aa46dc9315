"""Errors as problem details."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from ep_core.errors import ImageTooLarge, InvalidInput, ModelUnavailable, NotFinite, UnknownName, UnreadableImage
from ep_core.methods.base.method import MethodUnavailable
from worker.broker.problems import (
    http_problem,
    internal_error,
    out_of_memory,
    problem_from,
    timed_out,
    worker_lost,
)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (InvalidInput("no", field="areas"), {"type": "/problems/invalid-input", "status": 422, "field": "areas"}),
        (InvalidInput("no"), {"type": "/problems/invalid-input", "status": 422}),
        (
            UnknownName("no", field="model", nearest=["a", "b"]),
            {"type": "/problems/unknown-name", "status": 422, "field": "model", "nearest": ["a", "b"]},
        ),
        (UnreadableImage("no"), {"type": "/problems/unreadable-image", "status": 422, "field": "image"}),
        (ImageTooLarge("no"), {"type": "/problems/image-too-large", "status": 413, "field": "image"}),
        (NotFinite("no"), {"type": "/problems/not-finite", "status": 422}),
        (MethodUnavailable("no"), {"type": "/problems/method-unavailable", "status": 422, "field": "methods"}),
        (ModelUnavailable("no"), {"type": "/problems/model-unavailable", "status": 503}),
    ],
)
def test_the_engines_errors(error: InvalidInput | ModelUnavailable, expected: dict[str, object]):
    problem = problem_from(error).model_dump()
    assert problem.pop("title")
    assert problem == expected | {"detail": "no"}


def test_what_the_worker_itself_says():
    kinds = [worker_lost(), timed_out(5), out_of_memory(), internal_error("abc")]
    assert len({kind.type for kind in kinds}) == len(kinds)
    assert all(kind.status >= 500 for kind in kinds)
    assert "5 s" in timed_out(5).detail
    assert internal_error("abc").model_dump()["incident"] == "abc"


def test_what_http_has_a_name_for_is_named_so():
    problem = http_problem(HTTPStatus.METHOD_NOT_ALLOWED, "no")
    assert (problem.type, problem.title, problem.status) == ("/problems/method-not-allowed", "Method not allowed", 405)
