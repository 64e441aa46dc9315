"""Problem details of an answer, checked."""

from __future__ import annotations

from typing import Any

from service.http.problems import ProblemDetails


def problem_of(answer: Any) -> ProblemDetails:
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    problem = ProblemDetails.model_validate(answer.json())
    assert problem.status == answer.status_code
    assert problem.request_id == answer.headers["x-request-id"]
    return problem
