"""Jobs at a glance: the image where it is kept, else what was found."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from redis import Redis

from ep_core.schemas.reports.common import TargetRef
from ep_core.schemas.reports.file_names import SALIENCY, overlay_name
from tests.pictures import encode
from worker.broker.blobs import RedisBlobs
from worker.broker.contract import Finding, JobState
from worker.broker.store import JobStore

RED, BLUE = (220, 30, 30), (30, 30, 220)


@pytest.fixture
def succeed(redis: Redis, store: JobStore) -> Callable[..., None]:
    """A function that ends a posted job with an overlay, red, and a saliency map, blue."""

    def succeed(job_id: str, optimal_area: float | None) -> None:
        attempt = store.start(job_id, worker="test")
        blobs = RedisBlobs(redis)
        blobs.put(job_id, overlay_name(0.1), picture(RED))
        blobs.put(job_id, SALIENCY, picture(BLUE))
        found = Finding(target=TargetRef(index=1, label="bear"), optimal_area=optimal_area)
        assert store.finish(job_id, JobState.SUCCEEDED, attempt=attempt, found=found)

    return succeed


def picture(colour: tuple[int, int, int]) -> bytes:
    return encode(Image.new("RGB", (300, 200), colour), "PNG")


def shown(client: TestClient, job_id: str, query: str = "") -> Image.Image:
    address = client.get(f"/v1/jobs/{job_id}").json()["links"]["thumbnail"]
    assert address == f"/v1/jobs/{job_id}/thumbnail"
    answer = client.get(f"{address}{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    return Image.open(io.BytesIO(answer.content))


def is_of(image: Image.Image, colour: tuple[int, int, int]) -> bool:
    return all(abs(a - b) < 12 for a, b in zip(image.convert("RGB").getpixel((5, 5)), colour, strict=True))


@pytest.mark.parametrize(("optimal_area", "colour"), [(0.1, RED), (None, BLUE)], ids=["a*", "none"])
def test_what_was_found_is_shown_where_the_image_is_not_kept(
    client: TestClient, post: Callable[[], str], succeed: Callable[..., None], optimal_area: float | None, colour
) -> None:
    job_id = post()
    succeed(job_id, optimal_area)
    small = shown(client, job_id)
    assert small.size == (96, 64)
    assert is_of(small, colour)
    assert shown(client, job_id, "?size=32").size == (32, 21)


def test_a_kept_image_is_shown_at_once(client: TestClient) -> None:
    answer = client.post("/v1/jobs", files={"image": picture(BLUE)}, data={"keep_images": "true"})
    assert is_of(shown(client, answer.json()["id"]), BLUE)


def test_a_job_without_either_has_none(client: TestClient, post: Callable[[], str]) -> None:
    job_id = post()
    assert client.get(f"/v1/jobs/{job_id}").json()["links"].get("thumbnail") is None
    problem = client.get(f"/v1/jobs/{job_id}/thumbnail")
    assert (problem.status_code, "has found nothing" in problem.json()["detail"]) == (404, True)


def test_sizes_that_cannot_be_are_refused(client: TestClient, post: Callable[[], str]) -> None:
    refused = client.get(f"/v1/jobs/{post()}/thumbnail?size=5000")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "size")
