"""Post a photograph, get masks and the score curve: the main job on the running stack."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import time
import zipfile
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.running_stack import SAMPLES, Stack
from tests.small_jobs import MASKS_ONLY

pytestmark = pytest.mark.e2e

AREAS = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8]
STEPS = 40
BEAR_BOX = (196, 115, 431, 307)  # left, top, right, bottom on the photograph, from its COCO annotation
QUICK = {"areas": [0.2, 0.5], "iterations": 3, **MASKS_ONLY}
LONG = {"areas": AREAS, "iterations": 2000}


@pytest.fixture(scope="module")
def bear(stack: Stack) -> dict[str, Any]:
    """A sweep of the default areas of the bear, of fewer steps, finished: its job as the API shows it."""
    job = stack.post("black_bear", iterations=STEPS)
    running = stack.wait(job, until=lambda seen: bool(seen["partial_curve"]), limit_s=60)
    assert running["status"] == "running"
    reached = [point["area"] for point in running["partial_curve"]]
    assert reached == AREAS[-len(reached) :]  # a walk passes the large areas first
    most = STEPS * (len(AREAS) + 2)  # an alternative and a contrast, too
    assert 0 < running["progress"]["iteration"] <= running["progress"]["total"] <= most
    return stack.finish(job)


def picture(stack: Stack, link: str) -> np.ndarray:
    answer = stack.client.get(link)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    return np.asarray(Image.open(io.BytesIO(answer.content)))


def test_result_has_masks_of_the_areas_asked_for(stack: Stack, bear: dict[str, Any]) -> None:
    assert bear["status"] == "succeeded"
    result = stack.client.get(bear["links"]["result"]).json()
    assert result["target"] == {"kind": "class", "index": 295, "label": "American black bear"}
    assert [point["area"] for point in result["curve"]] == AREAS
    for point in result["curve"]:
        assert point["measured_area"] == pytest.approx(point["area"], abs=0.02)
        in_frame = picture(stack, point["mask"] + "?frame=model")
        assert in_frame.mean() / 255 == pytest.approx(point["area"], abs=0.02)


def test_curve_rises_from_the_perturbed_score_over_the_original_one(stack: Stack, bear: dict[str, Any]) -> None:
    result = stack.client.get(bear["links"]["result"]).json()
    kept = [point["preserve"] for point in result["curve"]]
    scores = result["scores"]
    assert scores["perturbed"] < 5 < scores["original"] < kept[-1]
    assert kept == sorted(kept)
    assert result["monotonic"]
    assert result["optimal_area"] in (0.1, 0.2)
    assert bear["found"] == {"target": result["target"], "optimal_area": result["optimal_area"]}


def test_small_mask_lies_on_the_bear(stack: Stack, bear: dict[str, Any]) -> None:
    mask = picture(stack, bear["links"]["masks"]["0.05"]).astype(float)
    assert mask.shape == (427, 640)
    left, top, right, bottom = BEAR_BOX
    assert mask[top:bottom, left:right].sum() / mask.sum() > 0.75


def test_pictures_and_bundle(stack: Stack, bear: dict[str, Any]) -> None:
    links = bear["links"]
    assert picture(stack, links["overlays"]["0.2"]).shape == (427, 640, 3)
    assert picture(stack, links["saliency"]).shape == (427, 640, 3)
    assert b"<svg" in stack.client.get(links["curve"]).content
    bundle = zipfile.ZipFile(io.BytesIO(stack.client.get(links["bundle"]).content))
    assert bundle.testzip() is None
    assert {"result.json", "curve.svg", "saliency.png", "masks/0.05.png", "overlays/0.8.png"} <= set(bundle.namelist())
    assert json.loads(bundle.read("result.json"))["optimal_area"] in (0.1, 0.2)


def test_base64_and_wait_answers_with_the_finished_job(stack: Stack) -> None:
    image = base64.b64encode((SAMPLES / "goose.jpg").read_bytes()).decode()
    answer = stack.client.post("/v1/jobs", json={"image": image, "params": QUICK}, headers={"Prefer": "wait=60"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["preference-applied"] == "wait=60"
    assert answer.json()["status"] == "succeeded"


@pytest.mark.parametrize("variant", ["delete", "hybrid"])
def test_variants_fade_and_label(stack: Stack, variant: str) -> None:
    params = QUICK | {"variant": variant, "perturbation": "fade", "target": "SCHOOL BUS", "fit": "stretch"}
    job = stack.finish(stack.post("school_bus", **params))
    result = stack.client.get(job["links"]["result"]).json()
    assert result["target"]["index"] == 779
    assert result["params"]["variant"] == variant


def test_unfinished_result_is_409_with_the_state(stack: Stack) -> None:
    job = stack.post("goose", **LONG)
    answer = stack.client.get(f"{job['links']['self']}/result")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["state"] in ("queued", "running")
    assert stack.client.delete(job["links"]["self"]).status_code == 204


def test_deleting_a_running_job_frees_the_worker(stack: Stack) -> None:
    job = stack.post("goose", **LONG)
    stack.wait(job, until=lambda seen: seen["progress"] is not None, limit_s=30)
    assert stack.client.delete(job["links"]["self"]).status_code == 204
    assert stack.client.get(job["links"]["self"]).status_code == 404
    assert stack.finish(stack.post("goose", **QUICK), limit_s=20)["status"] == "succeeded"


def test_a_killed_worker_s_job_runs_again_within_30_s(stack: Stack) -> None:
    job = stack.post("pizza", **QUICK | {"model": "slow", "iterations": 120})
    stack.wait(job, until=lambda seen: seen["progress"] is not None, limit_s=30)
    os.kill(stack.worker_pid(), signal.SIGKILL)
    killed = time.monotonic()
    stack.wait(job, until=lambda seen: seen["attempt"] == 2, limit_s=30)
    assert time.monotonic() - killed < 30
    finished = stack.finish(job)
    assert finished["status"] == "succeeded"
    assert finished["attempt"] == 2


def test_bad_input_is_told_in_words_and_costs_no_job(stack: Stack) -> None:
    for files, params, status, said in [
        ({"image": b"not an image"}, {}, 422, "image"),
        ({"image": (SAMPLES / "goose.jpg").read_bytes()[:5000]}, {}, 422, "image"),
        ({"image": (SAMPLES / "goose.jpg").read_bytes()}, {"areas": [0.1, 2]}, 422, "areas"),
        ({"image": (SAMPLES / "goose.jpg").read_bytes()}, {"target": "black bear"}, 422, "American black bear"),
        ({"image": (SAMPLES / "goose.jpg").read_bytes()}, {"model": "mobilenet_v9"}, 422, "mobilenet_v2"),
    ]:
        answer = stack.client.post("/v1/jobs", files=files, data={"params": json.dumps(params)})
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert said in answer.text
        assert "Traceback" not in answer.text


def test_models_are_announced_by_the_worker(stack: Stack) -> None:
    assert "mobilenet_v2" in stack.client.get("/v1/models").text
    model = stack.client.get("/v1/models/mobilenet_v2").json()
    assert model["labels"][295] == "American black bear"
    assert model["input_size"] == [224, 224]
