"""Jobs that compare methods, run by the one warm worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ep_core.schemas.reports.comparison import CompareReport
from ep_core.schemas.reports.file_names import RESULT
from worker.broker.contract import JobState

if TYPE_CHECKING:
    from conftest import Client

PARAMS = {"task": "compare", "areas": (0.1, 0.4), "iterations": 5}


def test_a_comparison_runs_from_the_image_to_the_result(shared: Client, bear: bytes):
    job_id = shared.post(bear, methods=("grad_cam", "extremal"), **PARAMS)
    record = shared.wait_final(job_id)
    assert record.state is JobState.SUCCEEDED, record.error
    assert record.progress.fraction == 1.0
    assert [point.area for point in record.partial_curve] == [0.1, 0.4]
    files = set(shared.blobs.names(job_id))
    assert {"comparison.png", "curve.svg", "maps/grad_cam.png", "heat/extremal.png", "masks/0.1.png"} <= files
    report = CompareReport.model_validate_json(shared.blobs.get(job_id, RESULT))
    assert [one.method for one in report.methods] == ["grad_cam", "extremal"]
    assert all(one.unavailable is None for one in report.methods)
    assert report.extremality is not None
    assert report.timing.queued_s >= 0


def test_a_long_method_under_way_stops_where_its_job_is_deleted(shared: Client, bear: bytes):
    job_id = shared.post(bear, methods=("rise",), samples=100_000, **PARAMS)
    shared.wait(job_id, lambda record: record.progress is not None and record.progress.iteration > 0)
    shared.delete(job_id)
    shared.wait_tidy(job_id, within_s=2.0)
