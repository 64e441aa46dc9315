"""The page of a batch: what was found in its images so far, in one file."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from redis import Redis

from ep_core.pictures.gallery import SIDE
from ep_core.schemas.reports.file_names import mask_name, overlay_name
from worker.broker.blobs import RedisBlobs
from worker.broker.contract import INPUT, JobState, Problem
from worker.broker.store import JobStore

PARAMS = '{"areas": [0.05, 0.1, 0.2]}'
Finish = Callable[[str], None]


def encoded(mode: str, size: tuple[int, int], colour: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def post(client: TestClient, *names: str, keep_images: bool) -> dict[str, Any]:
    """Post pictures of 400 x 100 pixels, and one that is none."""
    files = [("image", (name, encoded("RGB", (400, 100), (9 * k, 0, 0)))) for k, name in enumerate(names)]
    data = {"params": PARAMS, "keep_images": json.dumps(keep_images)}
    batch: dict[str, Any] = client.post(
        "/v1/batches", files=[*files, ("image", ("<b>.txt", b"no image"))], data=data
    ).json()
    return batch


@pytest.fixture
def explained(redis: Redis, store: JobStore, finish: Finish) -> Finish:
    """A function that finishes a posted job, with pictures that are real."""

    def explain(job_id: str) -> None:
        kept = RedisBlobs(redis)
        image = kept.get(job_id, INPUT)
        finish(job_id)
        if store.get(job_id).keep_images:
            kept.put(job_id, INPUT, image)
        for area in (0.05, 0.1, 0.2):
            kept.put(job_id, mask_name(area, frame="model"), encoded("L", (224, 224), round(255 * area)))
            kept.put(job_id, overlay_name(area), encoded("RGB", (400, 100), "navy"))

    return explain


def held(page: httpx.Response) -> dict[str, Any]:
    assert page.status_code == 200, page.text
    data = re.search(r'<script type="application/json" id="held">(.*?)</script>', page.text, re.DOTALL)
    assert data is not None
    parsed: dict[str, Any] = json.loads(data.group(1))
    return parsed


def picture(url: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))


def test_it_has_what_was_found_so_far_and_why_there_is_no_more(
    client: TestClient, store: JobStore, explained: Finish
) -> None:
    batch = post(client, "a.png", "b.png", "c.png", keep_images=True)
    done, failed, _, _ = (item["job"] for item in batch["jobs"])
    explained(done)
    attempt = store.start(failed, worker="test")
    error = Problem(type="/problems/failed", title="Failed", status=500, detail="It ran out of memory.")
    store.finish(failed, JobState.FAILED, attempt=attempt, error=error)

    page = client.get(batch["links"]["page"])

    first, *others = held(page)["images"]
    assert [first["name"], *(one["name"] for one in others)] == ["a.png", "b.png", "c.png", "<b>.txt"]
    assert picture(first["picture"]).size == (SIDE, SIDE // 4)
    assert [point["area"] for point in first["result"]["curve"]] == [0.05, 0.1, 0.2]
    assert [picture(point["mask"]).getextrema()[0] for point in first["result"]["curve"]] == [13, 26, 51]
    assert [one["note"] for one in others][:2] == ["It ran out of memory.", "queued"]
    assert "picture" in others[2]["note"]
    assert all(one["result"] is None for one in others)
    assert page.headers["content-security-policy"].startswith("sandbox allow-scripts; default-src 'none'; ")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    again = client.get(batch["links"]["page"], headers={"If-None-Match": page.headers["etag"]})
    assert again.status_code == 304


def test_images_that_are_not_kept_are_shown_as_what_was_found(client: TestClient, explained: Finish) -> None:
    batch = post(client, "a.png", keep_images=False)
    explained(batch["jobs"][0]["job"])

    first, _ = held(client.get(batch["links"]["page"]))["images"]

    assert first["result"]["curve"] == []
    red, _, blue = picture(first["picture"]).getpixel((5, 5))
    assert blue > 100 > red  # the overlay


def test_another_keys_batch_has_no_page_here(client: TestClient) -> None:
    missing = client.get(f"/v1/batches/{'0' * 32}/result.html")
    assert (missing.status_code, missing.json()["type"]) == (404, "/problems/not-found")
