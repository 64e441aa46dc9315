"""One name for one thing: sizes, boxes and scores by name; the old names stay for now, and are marked."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from redis import Redis

from ep_core.schemas.reports.extremal import PartialPoint
from ep_core.schemas.reports.file_names import RESULT
from ep_core.schemas.specs import Variant
from service.app import create_app
from worker.broker.blobs import RedisBlobs
from worker.broker.contract import JobProgress
from worker.broker.store import JobStore

OLD = {
    "ChannelsReport": {"image_size", "frame_box"},
    "CompareReport": {"image_size", "frame_box"},
    "ExtremalReport": {"image_size", "frame_box"},
    "ExtremalityPoint": {"score", "best_rival_score"},
    "ModelRead": {"input_size"},
    "ModelRef": {"input_size"},
    "ModelSummary": {"input_size"},
    "PartialPoint": {"score"},
}
NEW = {"image", "frame", "objective", "best_rival_objective", "resolution", "preserve", "delete"}


def test_old_names_are_marked_as_such_and_no_others() -> None:
    known = create_app().openapi()["components"]["schemas"]
    marked = {
        name: {field for field, kind in schema.get("properties", {}).items() if kind.get("deprecated")}
        for name, schema in known.items()
    }
    assert {name: fields for name, fields in marked.items() if fields} == OLD
    assert all(known[name]["properties"].keys() & NEW for name in OLD)


def test_no_size_or_box_has_to_be_known_by_its_order() -> None:
    """An array of a fixed length of numbers is one: those that are left are deprecated, or a range from low to high.

    A target's box is asked for as detectors and their files give one: left, top, right, bottom.
    """
    known = create_app().openapi()["components"]["schemas"]
    arrays = {
        (name, field)
        for name, schema in known.items()
        for field, kind in schema.get("properties", {}).items()
        if any(one.get("maxItems") in (2, 4) for one in (kind, *kind.get("anyOf", [])))
    }
    assert {pair for pair in arrays if pair[1] not in OLD.get(pair[0], ())} == {
        ("Stability", "optimal_areas"),
        ("BoxTarget", "box"),
        ("SegmentTarget", "within"),
    }


@pytest.mark.parametrize("knows_its_frame", [True, False])
def test_a_result_from_before_the_names_has_them(
    client: TestClient, redis: Redis, post: Callable[[], str], finish: Callable[[str], None], knows_its_frame: bool
) -> None:
    job_id = post()
    finish(job_id)
    blobs = RedisBlobs(redis)
    blobs.put(job_id, RESULT, json.dumps(_without(json.loads(blobs.get(job_id, RESULT)), knows_its_frame)).encode())
    result = client.get(f"/v1/jobs/{job_id}/result").json()
    assert result["image"] == {"width": 640, "height": 427}
    assert result["image_size"] == [427, 640]
    frame = {"left": 133.2, "top": 26.7, "right": 506.8, "bottom": 400.3} if knows_its_frame else None
    assert result["frame"] == frame
    assert result["model"]["resolution"] == {"width": 224, "height": 224}


def _without(node: Any, knows_its_frame: bool) -> Any:
    """A stored document as an older version wrote it."""
    gone = {"image", "frame", "resolution", "objective"} | (set() if knows_its_frame else {"frame_box"})
    if isinstance(node, dict):
        return {key: _without(value, knows_its_frame) for key, value in node.items() if key not in gone}
    return [_without(value, knows_its_frame) for value in node] if isinstance(node, list) else node


@pytest.mark.parametrize(
    ("variant", "named"),
    [
        ("preserve", {"preserve": 2.5, "delete": None}),
        ("delete", {"preserve": None, "delete": -2.5}),
        ("hybrid", {"preserve": None, "delete": None}),
    ],
)
def test_a_running_job_s_points_have_the_names_of_the_curve(
    client: TestClient, store: JobStore, post: Callable[[], str], variant: Variant, named: dict[str, float | None]
) -> None:
    job_id = post()
    attempt = store.start(job_id, worker="test")
    point = PartialPoint.of(0.1, measured_area=0.2, objective=2.5, variant=variant)
    progress = JobProgress(iteration=3, total=10, fraction=0.3)
    store.update(job_id, attempt=attempt, progress=progress, partial_curve=[point])
    (shown,) = client.get(f"/v1/jobs/{job_id}").json()["partial_curve"]
    assert shown == {"area": 0.1, "measured_area": 0.2, "score": 2.5, "objective": 2.5, **named}


def test_points_that_an_older_worker_wrote_are_shown(
    client: TestClient, redis: Redis, store: JobStore, post: Callable[[], str]
) -> None:
    job_id = post()
    store.start(job_id, worker="test")
    redis.hset(f"ep:job:{job_id}", "partial_curve", '[{"area":0.1,"measured_area":0.2,"score":1.5}]')
    (shown,) = client.get(f"/v1/jobs/{job_id}").json()["partial_curve"]
    assert (shown["score"], shown["objective"], shown["preserve"]) == (1.5, 1.5, None)


def test_models_say_their_resolution(client: TestClient) -> None:
    listed = client.get("/v1/models").json()["models"]
    for model in listed:
        assert [model["resolution"]["height"], model["resolution"]["width"]] == model["input_size"]
    assert client.get("/v1/models/mobilenet_v2").json()["resolution"]["width"] == 224
