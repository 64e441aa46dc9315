"""A finished job's result and pictures."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from redis import Redis

from ep_core.schemas.reports.file_names import PAGE, RESULT, REVEAL
from service.app import create_app
from service.jobs.answers import ANSWERS
from service.settings import ApiSettings
from worker.broker.blobs import RedisBlobs
from worker.broker.store import JobStore

PARTS = (
    "result",
    "masks/0.1.png",
    "overlays/0.1.png",
    "saliency.png",
    "curve.svg",
    "result.html",
    "reveal.webp",
    "bundle.zip",
)


@pytest.fixture
def job(post: Callable[[], str], finish: Callable[[str], None]) -> str:
    """The address of a finished job."""
    job_id = post()
    finish(job_id)
    return f"/v1/jobs/{job_id}"


def test_the_result_links_every_picture(client: TestClient, job: str) -> None:
    report = ANSWERS["extremal"].model_validate(client.get(f"{job}/result").json())

    assert report.id == job.rsplit("/", 1)[1]
    assert [point.area for point in report.curve] == [0.05, 0.1, 0.2]
    links = [*report.artifacts.values(), *(link for point in report.curve for link in (point.mask, point.overlay))]
    links += [link for one in (*report.alternatives, report.contrast) if one for link in (one.mask, one.overlay)]
    assert len(links) == 16
    assert all(client.get(link).status_code == 200 for link in links)


def test_a_page_may_do_nothing_in_the_services_name(client: TestClient, job: str) -> None:
    page = client.get(client.get(job).json()["links"]["page"])

    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["content-security-policy"].startswith("sandbox allow-scripts; default-src 'none'; ")


def test_a_job_of_an_earlier_version_names_only_what_it_has(client: TestClient, redis: Redis, job: str) -> None:
    for name in (PAGE, REVEAL):
        RedisBlobs(redis).remove(job.rsplit("/", 1)[1], name)
    links = client.get(job).json()["links"]
    assert [links] == [one["links"] for one in client.get("/v1/jobs").json()["jobs"]]
    assert (links["page"], links["reveal"], links["saliency"]) == (None, None, f"{job}/saliency.png")
    assert set(client.get(links["result"]).json()["artifacts"]) == {"result", "saliency", "curve", "bundle"}
    with zipfile.ZipFile(io.BytesIO(client.get(links["bundle"]).content)) as bundle:
        assert set(json.loads(bundle.read("result.json"))["artifacts"]) == {"saliency", "curve"}


def test_behind_a_proxy_links_carry_its_prefix(
    redis: Redis, settings: ApiSettings, client: TestClient, job: str
) -> None:
    with TestClient(create_app(settings), base_url="http://127.0.0.1", root_path="/explain") as proxied:
        links = proxied.get(f"/explain{job}").json()["links"]
        result = proxied.get(links["result"]).json()

    assert links["result"] == f"/explain{job}/result"
    assert links["dashboard"] == f"/explain/#/job/{result['id']}"
    assert result["curve"][0]["mask"] == links["masks"]["0.05"] == f"/explain{job}/masks/0.05.png"


@pytest.mark.parametrize("area", ["0.1", "0.10", "1e-1", ".1"])
def test_areas_are_compared_as_numbers(client: TestClient, job: str, area: str) -> None:
    mask = client.get(f"{job}/masks/{area}.png")
    overlay = client.get(f"{job}/overlays/{area}.png")

    assert (mask.content, mask.headers["content-type"]) == (b"picture masks/0.1.png", "image/png")
    assert overlay.content == b"picture overlays/0.1.png"


def test_a_mask_comes_in_the_frame_asked_for(client: TestClient, job: str) -> None:
    assert client.get(f"{job}/masks/0.2.png?frame=model").content == b"picture masks/0.2.model.png"
    assert client.get(f"{job}/masks/0.2.png?frame=image").content == b"picture masks/0.2.png"
    refused = client.get(f"{job}/masks/0.2.png?frame=screen")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "frame")


def test_other_masks_of_a_result_have_addresses_of_their_own(client: TestClient, job: str) -> None:
    result = client.get(f"{job}/result").json()
    (other,) = result["alternatives"]

    assert (other["mask"], other["overlay"]) == (f"{job}/masks/alternative-1.png", f"{job}/overlays/alternative-1.png")
    assert client.get(other["mask"]).content == b"picture masks/alternative-1.png"
    assert client.get(f"{other['mask']}?frame=model").content == b"picture masks/alternative-1.model.png"
    assert client.get(result["contrast"]["overlay"]).content == b"picture overlays/contrast.png"


@pytest.mark.parametrize("kind", ["masks", "overlays"])
@pytest.mark.parametrize("key", ["alternative-2", "alternative-0", "alternative-1.model", "contrast-1"])
def test_a_mask_that_the_result_lacks_names_those_it_has(client: TestClient, job: str, kind: str, key: str) -> None:
    answer = client.get(f"{job}/{kind}/{key}.png")

    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    assert (
        f"no mask {key}: its areas are 0.05, 0.1, 0.2; beside these it has alternative-1, contrast."
        in (answer.json()["detail"])
    )
    assert answer.json()["others"] == ["alternative-1", "contrast"]


def test_a_result_of_before_alternatives_is_read(client: TestClient, redis: Redis, job: str) -> None:
    job_id = job.rsplit("/", 1)[1]
    blobs = RedisBlobs(redis)
    stored = json.loads(blobs.get(job_id, RESULT))
    for block in ("stability", "alternatives", "contrast"):
        del stored[block]
    blobs.put(job_id, RESULT, json.dumps(stored).encode())

    result = client.get(f"{job}/result").json()
    assert (result["stability"], result["alternatives"], result["contrast"]) == (None, [], None)
    assert client.get(result["curve"][0]["mask"]).status_code == 200
    missing = client.get(f"{job}/masks/contrast.png")
    assert (missing.status_code, "beside" in missing.json()["detail"]) == (404, False)


@pytest.mark.parametrize("area", ["0.3", "0.1.model", "nan", "all", "-0.1"])
@pytest.mark.parametrize("kind", ["masks", "overlays"])
def test_an_area_that_the_job_lacks_names_those_it_has(client: TestClient, job: str, kind: str, area: str) -> None:
    answer = client.get(f"{job}/{kind}/{area}.png")

    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    assert "0.05, 0.1, 0.2" in answer.json()["detail"]


def test_the_bundle_holds_everything_with_relative_names(client: TestClient, job: str) -> None:
    answer = client.get(f"{job}/bundle.zip")

    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"].endswith('.zip"')
    with zipfile.ZipFile(io.BytesIO(answer.content)) as bundle:
        assert bundle.testzip() is None
        report = ANSWERS["extremal"].model_validate_json(bundle.read("result.json"))
        assert bundle.read(report.curve[1].mask) == b"picture masks/0.1.png"
        assert bundle.read(report.curve[1].overlay) == b"picture overlays/0.1.png"
        assert bundle.read(report.artifacts["curve"]) == b"<svg/>"
        assert bundle.read(report.alternatives[0].mask) == b"picture masks/alternative-1.png"
        assert bundle.read(report.contrast.overlay) == b"picture overlays/contrast.png"
        assert len(bundle.namelist()) == 5 + 3 * (3 + 2)


@pytest.mark.parametrize("part", PARTS)
def test_results_may_be_kept_and_are_not_sent_twice(client: TestClient, job: str, part: str) -> None:
    first = client.get(f"{job}/{part}")
    tag = first.headers["etag"]

    assert "immutable" in first.headers["cache-control"]
    assert "private" in first.headers["cache-control"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = client.get(f"{job}/{part}", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert client.get(f"{job}/{part}", headers={"If-None-Match": '"other"'}).content == first.content


@pytest.mark.parametrize("part", PARTS)
def test_an_unfinished_job_answers_with_its_state(
    client: TestClient, store: JobStore, post: Callable[[], str], part: str
) -> None:
    job_id = post()
    queued = client.get(f"/v1/jobs/{job_id}/{part}")
    store.start(job_id, worker="test")
    running = client.get(f"/v1/jobs/{job_id}/{part}")

    assert [a.status_code for a in (queued, running)] == [409, 409]
    assert [a.json()["state"] for a in (queued, running)] == ["queued", "running"]
    assert queued.json()["type"] == "/problems/no-result"


def test_an_expired_job_is_unknown(client: TestClient, redis: Redis, job: str) -> None:
    redis.pexpire(f"ep:job:{job.rsplit('/', 1)[1]}", 0)

    assert [client.get(f"{job}{tail}").status_code for tail in ("", "/result", "/masks/0.1.png")] == [404, 404, 404]
    known = client.get(f"{job}/result", headers={"If-None-Match": "*"})
    assert known.status_code == 404


def test_a_result_whose_files_are_gone_is_unknown(client: TestClient, redis: Redis, job: str) -> None:
    redis.delete(f"ep:blobs:{job.rsplit('/', 1)[1]}")

    assert {client.get(f"{job}/{part}").status_code for part in PARTS} == {404}
