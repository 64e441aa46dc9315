"""Jobs with a second picture: workers compare with it, and let it go as the image."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from ep_core.schemas.reports.file_names import RESULT
from ep_core.schemas.tasks import read_report
from tests.pictures import encode
from worker.broker.contract import TARGET_PICTURE, JobState

if TYPE_CHECKING:
    from conftest import Client

SIMILAR: dict[str, Any] = {"model": "embedding", "target": {"similar_to": "target_image"}}
TASKS: dict[str, dict[str, Any]] = {
    "extremal": {"areas": (0.2,), "iterations": 2},
    "compare": {"areas": (0.2,), "iterations": 2, "methods": ("gradient", "extremal")},
    "channels": {"layer": "0", "areas": (1, 4), "iterations": 2},
    "class_channels": {"layer": "0", "areas": (4, 8), "iterations": 2},
}


@pytest.mark.parametrize("task", TASKS)
def test_an_image_is_as_similar_as_can_be_to_itself(shared: Client, bear: bytes, task: str) -> None:
    job_id = shared.post(bear, target_picture=bear, task=task, **SIMILAR, **TASKS[task])
    record = shared.wait_final(job_id)
    assert record.state is JobState.SUCCEEDED, record.error
    assert record.found.target.kind == "similar"
    report = read_report(shared.blobs.get(job_id, RESULT))
    score = report.images[0].original if task == "class_channels" else report.scores.original
    assert score == pytest.approx(1, abs=1e-5)


def test_it_stays_as_long_as_the_image(shared: Client, bear: bytes) -> None:
    kept, other = (
        shared.post(bear, target_picture=bear, fields={"keep_images": keep}, **SIMILAR, **TASKS["extremal"])
        for keep in (True, False)
    )
    shared.wait_final(other)
    deadline = time.monotonic() + 10
    while TARGET_PICTURE in shared.blobs.names(other):  # goes a moment after the job has succeeded
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert TARGET_PICTURE in shared.blobs.names(kept)  # the worker was done with this one before


def test_a_failed_job_lets_it_go(shared: Client, bear: bytes) -> None:
    job_id = shared.post(bear, target_picture=b"no picture", **SIMILAR, **TASKS["extremal"])
    record = shared.wait_final(job_id)
    assert (record.error.type, record.error.field) == ("/problems/unreadable-image", "target_image")
    shared.wait_tidy(job_id, "ep:job")


def test_one_that_is_gone_is_told(shared: Client, bear: bytes) -> None:
    record = shared.wait_final(shared.post(bear, **SIMILAR, **TASKS["extremal"]))
    assert (record.error.status, record.error.field) == (422, "target_image")
    assert "target_image is not stored any more" in record.error.detail


@pytest.mark.parametrize(
    ("picture", "kind", "said"),
    [
        (b"no picture", "/problems/unreadable-image", ""),
        (encode(Image.new("L", (8, 8)), "PNG"), "/problems/invalid-input", "no white pixel"),
    ],
    ids=["unreadable", "black"],
)
def test_a_mask_that_is_none_is_told_as_the_masks(
    shared: Client, bear: bytes, picture: bytes, kind: str, said: str
) -> None:
    params = {"model": "plain", "target": {"segment": "a", "within": "target_mask"}, **TASKS["extremal"]}
    record = shared.wait_final(shared.post(bear, target_picture=picture, **params))
    assert (record.error.type, record.error.field) == (kind, "target_mask")
    assert said in record.error.detail
