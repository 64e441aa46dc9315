"""Jobs on channels, run by the one warm worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ep_core.schemas.reports.channels import MASKS, SHEET, ChannelsReport, ClassChannelsReport
from ep_core.schemas.reports.file_names import CURVE, RESULT, SALIENCY
from worker.broker.contract import JobState, is_input

if TYPE_CHECKING:
    from conftest import Client

LAYER = {"layer": "features.18", "areas": (5, 100, 1280), "iterations": 5}


def results(client: Client, job_id: str) -> set[str]:
    """The files of a result; the posted images go a moment after the job is done."""
    return {name for name in client.blobs.names(job_id) if not is_input(name)}


def test_a_channels_job_runs_from_the_image_to_the_result(shared: Client, bear: bytes):
    job_id = shared.post(bear, task="channels", **LAYER)
    record = shared.wait_final(job_id)
    assert record.state is JobState.SUCCEEDED, record.error
    assert record.progress.fraction == 1.0
    assert [point.area for point in record.partial_curve] == [5, 100, 1280]
    assert results(shared, job_id) == {SALIENCY, CURVE, MASKS, RESULT}
    report = ChannelsReport.model_validate_json(shared.blobs.get(job_id, RESULT))
    assert (report.layer.channels, report.target.index) == (1280, 295)
    assert report.timing.queued_s >= 0
    assert [point.measured_area for point in report.curve] == [5, 100, 1280]


def test_a_class_channels_job_takes_several_images(shared: Client, bear: bytes):
    job_id = shared.post(bear, bear, task="class_channels", top=1, invert=False, **LAYER)
    record = shared.wait_final(job_id)
    assert record.state is JobState.SUCCEEDED, record.error
    assert results(shared, job_id) == {SHEET, RESULT}
    report = ClassChannelsReport.model_validate_json(shared.blobs.get(job_id, RESULT))
    assert [image.name for image in report.images] == ["0.jpg", "1.jpg"]
    assert len(report.channels) == 1


def test_an_inversion_under_way_stops_where_its_job_is_deleted(shared: Client, bear: bytes):
    job_id = shared.post(bear, task="class_channels", top=1, **LAYER)
    shared.wait(job_id, lambda record: record.progress is not None and record.progress.iteration > 40)
    shared.delete(job_id)
    shared.wait_tidy(job_id, within_s=2.0)


def test_a_wrong_layer_fails_with_the_nearest_names(shared: Client, bear: bytes):
    record = shared.wait_final(shared.post(bear, task="channels", layer="features.81"))
    assert record.state is JobState.FAILED
    assert record.error.status == 422
    assert "features.18" in record.error.model_extra["nearest"]


def test_too_many_channels_fail_with_the_layers_number(shared: Client, bear: bytes):
    record = shared.wait_final(shared.post(bear, task="channels", layer="features.13", areas=(97,)))
    assert "use 1 to 96" in record.error.detail


def test_one_image_of_many_that_is_no_picture_is_named(shared: Client, bear: bytes):
    record = shared.wait_final(shared.post(bear, b"no picture", task="class_channels", **LAYER))
    assert record.state is JobState.FAILED
    assert record.error.detail.startswith("1.jpg: ")
