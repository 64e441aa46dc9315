"""The threshold over HTTP: a deletion obeys tau, and a result names its rule."""

from __future__ import annotations

from typing import Any

import pytest

from tests.running_stack import Stack

pytestmark = pytest.mark.e2e

QUICK = {"areas": [0.05, 0.2, 0.4, 0.6, 0.8], "iterations": 5, "alternatives": 0, "contrast": False}


def result_of(stack: Stack, **params: Any) -> dict[str, Any]:
    job = stack.finish(stack.post("black_bear", check_extremality=False, **params))
    assert job["status"] == "succeeded", job["error"]
    result: dict[str, Any] = stack.client.get(job["links"]["result"]).json()
    assert job["found"]["optimal_area"] == result["optimal_area"]
    return result


def test_a_deletion_obeys_tau(stack: Stack) -> None:
    some, most = (result_of(stack, variant="delete", threshold=tau, **QUICK) for tau in (0.2, 0.9))
    for tau, result in ((0.2, some), (0.9, most)):
        scores = result["scores"]
        way = scores["original"] - scores["perturbed"]
        assert scores["threshold"] == pytest.approx(scores["original"] - tau * way)
        assert scores["threshold_rule"] == "way-down"
        enough = [one["area"] for one in result["curve"] if one["delete"] <= scores["threshold"]]
        assert result["optimal_area"] == min(enough, default=None)
    assert some["optimal_area"] is not None
    assert most["optimal_area"] is None or some["optimal_area"] < most["optimal_area"]


def test_a_kept_score_is_a_share_of_the_original_one(stack: Stack) -> None:
    scores = result_of(stack, threshold=0.25, **QUICK)["scores"]
    assert (scores["threshold"], scores["threshold_rule"]) == (0.25 * scores["original"], "share-of-original")


def test_a_class_that_the_image_speaks_against_has_no_optimal_area(stack: Stack) -> None:
    """The score of a fox squirrel is lower in the bear's photograph than in its blur."""
    result = result_of(stack, target="fox squirrel", **QUICK)
    assert result["scores"]["original"] < result["scores"]["perturbed"]
    assert (result["optimal_area"], result["scores"]["threshold"]) == (None, None)
    assert result["scores"]["threshold_rule"] == "none"
    assert "threshold" in [one["kind"] for one in result["warnings"]]
