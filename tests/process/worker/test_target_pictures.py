"""Jobs with a second picture: workers compare with it, and let it go as the image."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from ep_core.schemas.reports.file_names import RESULT
from ep_core.schemas.tasks import read_report
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


@pytest.mark.parametrize("keep", [False, True])
def test_it_stays_as_long_as_the_image(shared: Client, bear: bytes, keep: bool) -> None:
    job_id = shared.post(bear, target_picture=bear, fields={"keep_images": keep}, **SIMILAR, **TASKS["extremal"])
    shared.wait_final(job_id)
    deadline = time.monotonic() + 10
    while not keep and TARGET_PICTURE in shared.blobs.names(job_id):  # a moment after the job has succeeded
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert (TARGET_PICTURE in shared.blobs.names(job_id)) == keep


def test_a_failed_job_lets_it_go(shared: Client, bear: bytes) -> None:
    job_id = shared.post(bear, target_picture=b"no picture", **SIMILAR, **TASKS["extremal"])
    record = shared.wait_final(job_id)
    assert (record.error.type, record.error.field) == ("/problems/unreadable-image", "target_image")
    shared.wait_tidy(job_id, "ep:job")


def test_one_that_is_gone_is_told(shared: Client, bear: bytes) -> None:
    record = shared.wait_final(shared.post(bear, **SIMILAR, **TASKS["extremal"]))
    assert (record.error.status, record.error.field) == (422, "target_image")
    assert "target_image is not stored any more" in record.error.detail


def test_a_mask_without_white_is_told_as_the_masks(shared: Client, bear: bytes) -> None:
    params = {"model": "plain", "target": {"segment": "a", "within": "target_mask"}, **TASKS["extremal"]}
    record = shared.wait_final(shared.post(bear, target_picture=b"no picture", **params))
    assert (record.error.type, record.error.field) == ("/problems/unreadable-image", "target_mask")
