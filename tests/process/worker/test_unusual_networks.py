"""Jobs on networks that can't be explained are refused with the cause; half precision and TorchScript work."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from ep_core.schemas.reports.file_names import RESULT
from ep_core.schemas.tasks import read_report
from worker.broker.contract import JobState

if TYPE_CHECKING:
    from conftest import Client

MASKS = {"areas": (0.2,), "iterations": 2}
TASKS = {
    "extremal": MASKS,
    "compare": MASKS | {"methods": ("gradient", "rise", "grad_cam"), "samples": 20},
    "channels": {"areas": (1, 4), "iterations": 2},
}


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("rounded", "its gradient is zero everywhere"),
        ("numpy", "it fails where its input asks for a gradient"),
        ("nan", "the score nan"),
        ("constant", "the same whatever the image shows"),
        ("batch_norm", "depend on the other images in its batch"),
    ],
)
def test_a_network_without_a_usable_gradient_ends_in_its_cause(
    shared: Client, bear: bytes, kind: str, cause: str
) -> None:
    record = shared.wait_final(shared.post(bear, model=kind, **MASKS))
    assert (record.state, record.error.type) == (JobState.FAILED, "/problems/model-unavailable")
    assert record.error.status == 503
    assert cause in record.error.detail
    assert record.attempt == 1


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("kind", ["half", "in_place", "compiled"])
def test_other_precision_work_in_place_and_compiled_networks_are_explained(
    shared: Client, bear: bytes, kind: str, task: str
) -> None:
    record = shared.wait_final(shared.post(bear, model=kind, task=task, **TASKS[task]))
    assert record.state is JobState.SUCCEEDED, record.error


def test_torchscript_is_explained_where_no_layers_are_needed(shared: Client, bear: bytes) -> None:
    assert shared.wait_final(shared.post(bear, model="script", **MASKS)).state is JobState.SUCCEEDED
    job_id = shared.post(bear, model="script", task="compare", **TASKS["compare"])
    assert shared.wait_final(job_id).state is JobState.SUCCEEDED
    methods = read_report(shared.blobs.get(job_id, RESULT)).methods
    assert {method.method: bool(method.unavailable) for method in methods} == {
        "gradient": False,
        "rise": False,
        "grad_cam": True,
    }
    refused = shared.wait_final(shared.post(bear, model="script", task="channels", **TASKS["channels"]))
    assert (refused.state, refused.error.type) == (JobState.FAILED, "/problems/invalid-input")
    assert "TorchScript and exported programs show none" in refused.error.detail


@pytest.mark.parametrize("task", TASKS)
def test_one_class_instead_of_another_is_explained_by_each_task(shared: Client, bear: bytes, task: str) -> None:
    target = {"class": "a", "instead_of": 2}
    job_id = shared.post(bear, model="plain", task=task, target=target, **TASKS[task])
    record = shared.wait_final(job_id)
    assert record.state is JobState.SUCCEEDED, record.error
    assert record.found.target.model_dump() == {"kind": "contrast", "index": None, "label": "a instead of c"}
    report = read_report(shared.blobs.get(job_id, RESULT))
    assert report.params.model_dump(mode="json")["target"] == target
    assert report.scores.original_probability is None


def test_a_class_of_a_multi_label_network_is_as_likely_as_its_own_score(shared: Client, bear: bytes) -> None:
    job_id = shared.post(bear, model="several", target="b", **MASKS)
    assert shared.wait_final(job_id).state is JobState.SUCCEEDED
    report = read_report(shared.blobs.get(job_id, RESULT))
    assert report.model.outputs == "sigmoid"
    assert report.scores.original_probability == pytest.approx(1 / (1 + math.exp(-report.scores.original)))
