"""Watching a job on the running stack, from its posting to its end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.pictures import decode
from tests.running_stack import Stack
from tests.small_jobs import MASKS_ONLY

pytestmark = pytest.mark.e2e


def watch(stack: Stack, link: str) -> list[tuple[str, Any]]:
    """Return all events of a job, as (kind, data)."""
    found = []
    with stack.client.stream("GET", link) as answer:
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                found.append((kind, json.loads(value)))
    return found


def test_a_job_can_be_watched(stack: Stack) -> None:
    job = stack.post("black_bear", areas=[0.1, 0.4], iterations=20, **MASKS_ONLY)
    events = watch(stack, job["links"]["events"])
    states = [data["status"] for kind, data in events if kind == "state"]
    assert states[-1] == "succeeded"
    assert "running" in states
    fractions = [data["progress"]["fraction"] for kind, data in events if kind == "progress"]
    assert fractions == sorted(fractions)
    assert any(0 < fraction < 1 for fraction in fractions)
    previews = [data["masks"] for kind, data in events if kind == "preview"]
    assert {shown["area"] for shown in previews[-1]} <= {0.1, 0.4}
    picture = decode(previews[-1][-1]["mask"])
    assert (picture.format, picture.size) == ("PNG", (64, 64))
    assert events[-1][1] == stack.client.get(job["links"]["self"]).json()


def test_a_canceled_job_tells_those_who_watch(stack: Stack) -> None:
    job = stack.post("goose", areas=[0.1, 0.4], iterations=2000)
    stack.wait(job, until=lambda seen: seen["progress"] is not None, limit_s=60)
    with stack.client.stream("GET", job["links"]["events"]) as answer:
        lines = answer.iter_lines()
        while next(lines) != "event: state":
            pass
        stack.client.delete(job["links"]["self"])
        assert "event: deleted" in list(lines)


def test_the_newest_jobs_are_listed_first(stack: Stack) -> None:
    ids = [stack.post("goose", areas=[0.5], iterations=1, seed=k, **MASKS_ONLY)["id"] for k in range(3)]
    page = stack.client.get("/v1/jobs?limit=2").json()
    rest = stack.client.get(page["next"]).json()
    assert [job["id"] for job in page["jobs"] + rest["jobs"]][:3] == ids[::-1]
