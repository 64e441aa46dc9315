"""Reports as the service sends them, read as dataclasses."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest
from extremal_client import Channels, ClassChannels, Comparison, Explanation, Result, UnexpectedAnswer
from extremal_client.core.reading import read_as
from extremal_client.generated import schemas
from extremal_client.results import KINDS, make_result

from ep_core.schemas.tasks import TASKS
from service.http.links import Links
from service.jobs.examples import CHANNELS_REPORT, CLASS_REPORT, COMPARE_REPORT, REPORT
from service.jobs.links import linked

from .playing import JOB_ID, job_document

REPORTS = {report["task"]: report for report in (REPORT, CHANNELS_REPORT, CLASS_REPORT, COMPARE_REPORT)}


def served(task: str) -> dict[str, Any]:
    """The example report of a task as the service answers with it."""
    report = TASKS[task].report.model_validate(REPORTS[task])
    return linked(report, JOB_ID, Links()).model_dump(mode="json")


def result_of(document: dict[str, Any], **more: Any) -> Result[str]:
    job = read_as(schemas.JobRead, job_document("succeeded", **more))
    return make_result(document, job, lambda link: link)


def assert_alike(read: Any, sent: Any, place: str) -> None:
    """Everything that was sent, but what is deprecated, can be read."""
    if dataclasses.is_dataclass(read):
        for field in dataclasses.fields(read):
            if field.name in sent:
                assert_alike(getattr(read, field.name), sent[field.name], f"{place}.{field.name}")
    elif isinstance(read, list):
        assert len(read) == len(sent), place
        for one, other in zip(read, sent, strict=True):
            assert_alike(one, other, place)
    else:
        assert read == sent, place
        assert not isinstance(sent, dict) or isinstance(read, dict), place


@pytest.mark.parametrize("task", REPORTS)
def test_a_report_has_typed_fields_that_say_what_was_sent(task: str) -> None:
    sent = served(task)
    result = result_of(sent)
    assert type(result) is KINDS[task]
    assert_alike(result, sent, task)
    assert result.document == sent
    (report,) = [kind for kind in type(result).__mro__ if kind.__module__ == schemas.__name__]
    assert all(not dataclasses.is_dataclass(one) for one in vars(schemas.TargetRef(index=1, label="a")).values())
    read = {field.name: getattr(result, field.name) for field in dataclasses.fields(report)}
    nested = [one for value in read.values() for one in (value if isinstance(value, list) else [value])]
    assert not [
        one for one in nested if isinstance(one, dict) and one is not read["params"] and one is not read["artifacts"]
    ]


def test_a_result_of_a_sweep_has_masks_by_area_and_files_by_name() -> None:
    result = result_of(served("extremal"))
    assert isinstance(result, Explanation)
    assert result.masks == {0.1: f"/v1/jobs/{JOB_ID}/masks/0.1.png"}
    assert result.saliency == f"/v1/jobs/{JOB_ID}/saliency.png"
    assert result.page == f"/v1/jobs/{JOB_ID}/result.html"
    assert result.bundle == f"/v1/jobs/{JOB_ID}/bundle.zip"
    assert result.contrast is not None
    assert result.contrast.mask is not None
    assert result.file(result.contrast.mask) == f"/v1/jobs/{JOB_ID}/masks/contrast.png"
    with pytest.raises(KeyError, match=r"no 'comparison' in this result, only .*'saliency'"):
        _ = result.files["comparison"]
    with pytest.raises(KeyError, match=r"no 0\.2 in this result, only 0\.1"):
        _ = result.masks[0.2]


def test_files_of_the_other_tasks_have_their_names() -> None:
    address = f"/v1/jobs/{JOB_ID}"
    links = {"self": address, "dashboard": "/#/job/1", "inversions": {"full": f"{address}/inversions/full.png"}}
    links |= {"channel_masks": f"{address}/masks.json", "sheet": f"{address}/channels.png"}
    channels, shared = result_of(served("channels"), links=links), result_of(served("class_channels"), links=links)
    assert isinstance(channels, Channels)
    assert isinstance(shared, ClassChannels)
    assert channels.inversions == {"full": f"{address}/inversions/full.png"}
    assert channels.channel_masks == f"{address}/masks.json"
    assert shared.picture == f"{address}/channels.png"
    compared = result_of(served("compare"))
    assert isinstance(compared, Comparison)
    assert compared.maps["grad_cam"] == f"{address}/maps/grad_cam.png"
    assert compared.overlays["grad_cam"] == f"{address}/heat/grad_cam.png"


def test_a_result_of_a_task_that_is_new_to_the_client_has_its_document_and_files() -> None:
    artifacts = {"result": "/v1/jobs/1/result", "glow": "/v1/jobs/1/glow.png", "bundle": "/v1/jobs/1/bundle.zip"}
    result = result_of({"task": "brightness", "id": "1", "mean": 0.5, "artifacts": artifacts})
    assert type(result) is Result
    assert result.document["mean"] == 0.5
    assert result.files["glow"] == "/v1/jobs/1/glow.png"


def test_what_a_newer_service_adds_is_passed_over_and_what_an_older_one_lacks_is_none() -> None:
    newer = job_document("running", mood="good", found={"target": {"index": 3, "label": "a", "hue": 1}})
    job = read_as(schemas.JobRead, newer)
    assert job.created_at == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert (job.found and job.found.target.label, job.found and job.found.optimal_area) == ("a", None)
    assert job.delivery is None


def test_what_lacks_its_fields_is_told_by_their_names() -> None:
    with pytest.raises(UnexpectedAnswer, match="JobRead of this service lacks id, status"):
        read_as(schemas.JobRead, {})
    with pytest.raises(UnexpectedAnswer, match="a JobRead was expected, and came as list"):
        read_as(schemas.JobRead, [])


def test_a_result_says_what_it_is() -> None:
    found = {"target": {"index": 295, "label": "American black bear"}, "optimal_area": 0.1}
    shown = repr(result_of(served("extremal"), found=found))
    assert shown == f"Explanation('American black bear', optimal_area=0.1, job='{JOB_ID}')"
