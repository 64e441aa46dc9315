"""Images that cost far more to decode than to send: an answer that says what to change, and room for others."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from redis import Redis

from service.access.shares import Take
from service.app import create_app
from service.settings import ApiSettings
from service.uploads.shares import UploadShares
from tests.pictures import encode
from tests.reliability import hostile_images

PIXELS = 300_000
CHANNELS = json.dumps({"task": "class_channels", "layer": "features.18", "target": 1})


@pytest.fixture(scope="module")
def usual(settings: ApiSettings) -> ApiSettings:
    """An operator's settings, with the limits of images as they are by default."""
    return ApiSettings(redis_url=settings.redis_url)


@pytest.fixture(scope="module")
def usual_app(usual: ApiSettings) -> Iterator[TestClient]:
    with TestClient(create_app(usual), base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


@pytest.mark.usefixtures("redis")
@pytest.mark.parametrize(
    ("make", "status", "detail"),
    [
        (hostile_images.scans_jpeg, 422, "has more than 50 scans"),
        (hostile_images.pages_tiff, 422, "several frames or pages: send one picture"),
        (hostile_images.frames_gif, 422, "several frames or pages: send one picture"),
        (hostile_images.plain_webp, 413, "takes more memory than there is for it: scale it down"),
        (hostile_images.deep_png, 202, None),
        (hostile_images.palette_png, 202, None),
    ],
)
def test_each_is_taken_or_refused_with_the_reason(
    usual_app: TestClient, make: Callable[[], bytes], status: int, detail: str | None
) -> None:
    answer = usual_app.post("/v1/jobs", files={"image": make()})
    assert answer.status_code == status, answer.text
    assert detail is None or detail in answer.json()["detail"]
    assert usual_app.get("/healthz").status_code == 200


@pytest.fixture
def few_pixels(redis: Redis, settings: ApiSettings) -> Iterator[TestClient]:
    """A client of an API that decodes three images of `PIXELS` pixels for a request, and no fourth."""
    app = create_app(settings.model_copy(update={"max_total_pixels": 3 * PIXELS}))
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def wide() -> bytes:
    return encode(Image.new("RGB", (600, PIXELS // 600)), "PNG")


def test_a_batch_has_its_pixels_counted_together(few_pixels: TestClient, wide: bytes) -> None:
    images = [("image", (f"{k}.png", wide)) for k in range(5)]
    answer = few_pixels.post("/v1/batches", files=images, data={"params": "{}"})
    assert answer.status_code == 202
    refused = [job["name"] for job in answer.json()["jobs"] if job["job"] is None]
    assert refused == ["3.png", "4.png"]
    assert f"more than the {3 * PIXELS} pixels" in answer.json()["jobs"][3]["error"]["detail"]


def test_a_job_of_several_images_too(few_pixels: TestClient, wide: bytes) -> None:
    def post(count: int) -> tuple[int, dict[str, str]]:
        answer = few_pixels.post("/v1/jobs", files=[("image", wide)] * count, data={"params": CHANNELS})
        return answer.status_code, answer.json()

    status, problem = post(4)
    assert (status, problem["type"]) == (422, "/problems/invalid-input")
    assert "post fewer at once" in problem["detail"]
    assert post(3)[0] == 202


class Counted(UploadShares):
    """Shares that note what was taken of them: bytes that come in, and bytes in memory."""

    def __init__(self) -> None:
        super().__init__(1_000_000)
        self.taken: list[tuple[int, int]] = []

    @asynccontextmanager
    async def open(self, who: str, incoming: int) -> AsyncIterator[Take]:
        async with super().open(who, incoming) as take:

            async def note(amount: int) -> None:
                self.taken.append((incoming, amount))
                await take(amount)

            yield note


def test_what_is_posted_is_read_when_there_is_memory_for_all_of_it(
    redis: Redis, settings: ApiSettings, png: bytes
) -> None:
    shares = Counted()
    app = create_app(settings.model_copy(update={"classify_s": 0.01}))  # nobody answers
    app.state.services = replace(app.state.services, uploads=shares)
    text = json.dumps({"image": base64.b64encode(png).decode()})
    in_json = {"content": text, "headers": {"Content-Type": "application/json"}}
    with TestClient(app, base_url="http://127.0.0.1") as client:
        for address, request in (
            ("/v1/jobs", {"files": {"image": png}}),
            ("/v1/batches", {"files": [("image", png)] * 3}),
            ("/v1/classify", {"files": {"image": png}}),
            ("/v1/jobs", in_json),
            ("/v1/classify", in_json),
        ):
            client.post(address, **request)
    incoming, read = zip(*shares.taken, strict=True)
    assert read == (len(png), 3 * len(png), len(png), 3 * len(text), 3 * len(text))
    assert all(whole >= part for whole, part in zip(incoming[:3], read, strict=False))
    assert incoming[3:] == (len(text), len(text))
