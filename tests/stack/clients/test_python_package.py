"""The Python client on the running stack: all that it can ask, and an API that is killed meanwhile."""

from __future__ import annotations

import asyncio
import io
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from extremal_client import AsyncClient, Client, Explanation, InvalidRequest, JobFailed, JobRemoved, NotFound
from extremal_client.generated.schemas import JobRead
from PIL import Image

from tests.proxy import Proxy
from tests.running_stack import SAMPLES, Stack

pytestmark = pytest.mark.e2e

BEAR, GOOSE, PIZZA = (SAMPLES / f"{name}.jpg" for name in ("black_bear", "goose", "pizza"))
BEAR_BOX = (196, 115, 431, 307)  # left, top, right, bottom on the photograph, from its COCO annotation
QUICK: dict[str, Any] = {"iterations": 3, "check_extremality": False, "alternatives": 0, "contrast": False}
SOFT: dict[str, Any] = QUICK | {"iterations": 20}
SLOW: dict[str, Any] = QUICK | {"model": "slow", "areas": [0.2, 0.5], "iterations": 120, "reuse": False}


@pytest.fixture(scope="module")
def client(stack: Stack) -> Iterator[Client]:
    with Client(stack.url) as client:
        yield client


@pytest.fixture(scope="module")
def bear(client: Client) -> Explanation[Any]:
    """The bear, explained at two areas."""
    return client.explain(BEAR, target="American black bear", areas=[0.05, 0.4], progress=False, **SOFT)


def test_the_main_job_goes_on_after_the_api_was_killed_in_the_middle(stack: Stack, client: Client) -> None:
    killed: list[int] = []
    fractions: list[float] = []

    def kill_once(job: JobRead) -> None:
        if job.progress is not None:
            fractions.append(job.progress.fraction)
            if not killed:
                killed.append(stack.api_pid())
                os.kill(killed[0], signal.SIGKILL)

    result = client.explain(GOOSE, progress=kill_once, **SLOW)
    assert killed
    assert stack.api_pid() != killed[0]
    assert result.job.attempt == 1  # the same run of the same job
    assert len([job for job in client.jobs() if job.created_at >= result.job.created_at]) == 1
    assert fractions == sorted(fractions)
    assert fractions[0] < fractions[-1]  # it was followed further
    assert result.masks[0.2].array().shape == (498, 640)


def test_a_post_to_an_api_that_was_killed_waits_for_it(stack: Stack) -> None:
    async def explain() -> tuple[JobRead, tuple[int, int]]:
        async with AsyncClient(stack.url) as client:
            os.kill(stack.api_pid(), signal.SIGKILL)
            result = await client.explain(GOOSE, progress=False, **SLOW | {"iterations": 5})
            return result.job, (await result.masks[0.5].image()).size

    job, size = asyncio.run(explain())
    assert (job.status, size) == ("succeeded", Image.open(GOOSE).size)


def test_a_result_has_the_report_and_its_masks(bear: Explanation[Any]) -> None:
    assert (bear.target.label, bear.target.index) == ("American black bear", 295)
    assert [point.area for point in bear.curve] == [0.05, 0.4] == list(bear.masks)
    assert (bear.image.width, bear.image.height) == (640, 427)
    mask = bear.masks[0.05]
    left, top, right, bottom = BEAR_BOX
    pixels = mask.array()
    assert pixels[top:bottom, left:right].sum() / pixels.sum() > 0.5
    assert mask.in_frame.array().mean() == pytest.approx(0.05, abs=0.02)
    assert bear.overlays[0.4].array().shape == bear.saliency.array().shape == (427, 640, 3)
    assert "<!DOCTYPE html>" in bear.page.text()
    assert "American black bear" in str(bear._repr_html_())
    assert b"<svg" in bear.files["curve"].read()


def test_all_of_a_result_is_saved_to_a_folder(bear: Explanation[Any], tmp_path: Path) -> None:
    folder = bear.save(tmp_path / "bear")
    saved = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {"result.json", "result.html", "saliency.png", "curve.svg", "masks/0.05.png", "overlays/0.4.png"} <= saved
    np.testing.assert_array_equal(np.asarray(Image.open(folder / "masks" / "0.4.png")), bear.masks[0.4].image())


def test_the_same_again_is_known(client: Client, bear: Explanation[Any]) -> None:
    image = Image.open(BEAR)
    again = client.explain(BEAR, target="American black bear", areas=[0.05, 0.4], progress=False, **SOFT)
    assert again.job.cached
    assert [point.preserve for point in again.curve] == [point.preserve for point in bear.curve]
    pixels = client.explain(image, areas=[0.4], progress=False, **QUICK)  # as Pillow's
    assert (pixels.image.width, pixels.job.cached) == (640, False)


def test_the_other_tasks(client: Client) -> None:
    compared = client.compare(
        BEAR, methods=["center", "gradient", "extremal"], areas=[0.2], iterations=3, progress=False
    )
    assert [one.method for one in compared.methods] == ["center", "gradient", "extremal"]
    assert set(compared.maps) == set(compared.overlays) == {"center", "gradient", "extremal"}
    assert compared.maps["gradient"].array().shape == (427, 640)
    assert compared.masks[0.2].array().shape == (427, 640)
    assert compared.picture.image().width > 640
    found = client.channels(BEAR, areas=[5, 50], iterations=3, progress=False)
    masks = found.channel_masks.json()
    assert (masks["areas"], found.layer.name) == ([5, 50], masks["layer"])
    assert (found.saliency.array().shape, found.inversions) == ((427, 640, 3), {})
    shared = client.class_channels(
        [BEAR, GOOSE], target=295, areas=[5], iterations=3, top=1, invert=False, progress=False
    )
    assert [one.name for one in shared.images] == ["black_bear.jpg", "goose.jpg"]
    assert shared.picture.image().width > 0
    again = client.run("channels", BEAR, areas=[5, 50], iterations=3, progress=False)
    assert (again.job.cached, again.document["task"]) == (True, "channels")


def test_links_lead_through_a_proxy_that_shows_the_service_below_a_path(stack: Stack) -> None:
    with Proxy(stack.url, X_Forwarded_Prefix="/explain") as proxy:
        with Client(f"{proxy.url}/explain/") as client:
            result = client.explain(PIZZA, areas=[0.3], progress=False, **QUICK)
            assert result.job.links.self.startswith("/explain/v1/jobs/")
            assert result.dashboard == f"{proxy.url}/explain/#/job/{result.job.id}" == client.dashboard(result.job)
            assert httpx.get(result.dashboard).text.startswith("<!doctype html>")
            assert result.masks[0.3].image().size == Image.open(PIZZA).size
        assert proxy.missed == []


def test_a_target_with_a_picture_of_its_own(client: Client) -> None:
    asked = QUICK | {"model": "embedding", "areas": [0.3]}
    alike = client.explain(
        GOOSE, target={"similar_to": "target_image"}, target_image=PIZZA, keep_images=True, progress=False, **asked
    )
    assert alike.target.kind == "similar"
    assert alike.files["target_image"].image().size == Image.open(PIZZA).size
    assert alike.files["images/0"].image().size == Image.open(GOOSE).size


def test_what_can_be_asked(client: Client) -> None:
    seen = client.classify(BEAR, top=2)
    assert (len(seen.classes), seen.classes[0].label) == (2, "American black bear")
    models = client.models()
    assert models.default in {one.name for one in models.models}
    model = client.model(models.default)
    assert (model.labels[295], model.resolution.width) == ("American black bear", 224)
    assert {one.name for one in client.tasks().tasks} >= {"extremal", "compare", "channels", "class_channels"}


def test_many_images(client: Client, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(GOOSE.read_bytes()[:5000])
    given = [GOOSE, tmp_path / "broken.jpg", PIZZA, io.BytesIO(BEAR.read_bytes())]
    counted: list[int] = []
    found = list(client.batch(given, areas=[0.3], progress=lambda seen: counted.append(seen.done), **QUICK))
    assert len(found) == len(given)
    results = {one.name: one.result for one in found if one.error is None}
    assert set(results) == {"goose.jpg", "pizza.jpg", "image"}
    assert results["image"].masks[0.3].array().shape == (427, 640)
    (failed,) = [one for one in found if one.error is not None]
    assert failed.image == given[1]
    with pytest.raises(JobFailed, match="image"):
        _ = failed.result
    assert (counted[0], counted[-1]) == (1, 4)


def test_a_job_is_submitted_watched_and_cancelled(client: Client) -> None:
    job = client.submit("extremal", GOOSE, **SLOW | {"iterations": 2000})
    kinds = []
    for event in client.watch(job):
        kinds.append(event.kind)
        if event.job.progress is not None and "preview" in kinds:
            break
    assert kinds[0] == "state"
    assert client.job(job.id).status == "running"
    assert client.cancel(job) is True
    with pytest.raises(NotFound, match=job.id):
        client.job(job.id)


def test_a_finished_job_is_found_by_its_id_and_stays_until_it_is_deleted(client: Client) -> None:
    job = client.submit("extremal", PIZZA, areas=[0.3], **QUICK)
    result = client.result(job.id)
    assert (result.job.id, result.job.status) == (job.id, "succeeded")
    assert client.cancel(job) is False
    assert next(client.jobs(status="succeeded")).id == job.id
    client.delete(job)
    with pytest.raises(NotFound):
        client.result(job.id)


def test_whoever_waits_for_a_removed_job_is_told(stack: Stack, client: Client) -> None:
    def remove(job: JobRead) -> None:
        if job.progress is not None:
            stack.client.delete(job.links.self)

    with pytest.raises(JobRemoved):
        client.explain(GOOSE, progress=remove, **SLOW | {"iterations": 2000})


def test_mistakes_say_what_to_change(client: Client, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest) as wrong:
        client.explain(GOOSE, areas=[0.1, 2.0], progress=False)
    assert (wrong.value.status, wrong.value.field) == (422, "areas.1")
    assert "write 0.02" in wrong.value.detail
    with pytest.raises(InvalidRequest) as unknown:
        client.explain(GOOSE, target="black bear", progress=False)
    assert "American black bear" in unknown.value.nearest
    misspelt: Any = {"aeras": [0.1]}
    with pytest.raises(InvalidRequest, match="did you mean areas"):
        client.explain(GOOSE, progress=False, **misspelt)
    (tmp_path / "text.jpg").write_text("no image")
    with pytest.raises(InvalidRequest) as unreadable:
        client.explain(tmp_path / "text.jpg", progress=False)
    assert unreadable.value.slug == "unreadable-image"
    with pytest.raises(InvalidRequest, match="EP_FETCH_URLS"):
        client.explain("https://pictures.test/bus.jpg", progress=False)
    with pytest.raises(InvalidRequest) as large:  # the service doesn't read it to its end
        client.explain(bytes(120_000_000), progress=False)
    assert (large.value.status, large.value.slug) == (413, "upload-too-large")
    with pytest.raises(NotFound) as missing:
        client.model("mobilenet_v9")
    assert "mobilenet_v2" in missing.value.nearest or "mobilenet_v2" in missing.value.detail
