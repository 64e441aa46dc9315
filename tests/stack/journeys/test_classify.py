"""Classification on the running stack."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.running_stack import SAMPLES, Stack

pytestmark = pytest.mark.e2e


def classify(stack: Stack, **fields: Any) -> dict[str, Any]:
    answer = stack.client.post("/v1/classify", files={"image": (SAMPLES / "black_bear.jpg").read_bytes()}, data=fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_targets_are_offered_at_once_also_while_the_only_worker_is_busy(stack: Stack) -> None:
    first = classify(stack)
    assert first["classes"][0]["label"] == "American black bear"
    assert first["classes"][0]["score"] == pytest.approx(13.76, abs=0.05)
    assert len(first["classes"]) == 5

    job = stack.post("goose", areas=[0.1, 0.4], iterations=5000)
    stack.wait(job, until=lambda seen: seen["progress"] is not None, limit_s=60)
    started = time.monotonic()
    busy = classify(stack, top=1)
    assert time.monotonic() - started < 3
    assert busy["classes"] == first["classes"][:1]
    stack.client.delete(job["links"]["self"])


def test_what_it_offers_can_be_explained(stack: Stack) -> None:
    best, second = classify(stack, top=2)["classes"]
    job = stack.finish(stack.post("black_bear", target=second["index"], areas=[0.5], iterations=1, contrast=False))
    result = stack.client.get(job["links"]["result"]).json()
    assert result["target"] == {"kind": "class", "index": second["index"], "label": second["label"]}
    assert result["scores"]["original"] == pytest.approx(second["score"], abs=1e-3)
    assert best["score"] > second["score"]
