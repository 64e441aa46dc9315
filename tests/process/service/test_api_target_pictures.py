"""The parts `target_image` and `target_mask`: taken, checked, kept, shown and counted as images are."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from redis import Redis

from ep_core.pictures.decoding import read_image
from ep_core.schemas.model_card import CLASS_TARGETS, ModelCard
from tests.pictures import encode
from worker.broker import catalogue
from worker.broker.blobs import RedisBlobs
from worker.broker.contract import INPUT, TARGET_PICTURE
from worker.broker.queue import job_queue
from worker.broker.reuse import KnownResults
from worker.broker.store import JobStore

from .conftest import LABELS

SIMILAR = {"model": "look-alikes", "target": {"similar_to": "target_image"}, "areas": [0.05, 0.1, 0.2]}
SEGMENT = {"model": "segments", "target": {"segment": "goldfish", "within": "target_mask"}, "areas": [0.1]}
Finish = Callable[[str], None]


@pytest.fixture
def cards(cards: list[ModelCard]) -> list[ModelCard]:
    """One model that gives embeddings, and one that segments, beside the others."""
    size = (224, 224)
    return [
        *cards,
        ModelCard(
            name="look-alikes", source="timm", input_size=size, labels=(), outputs="embedding", targets=("similar",)
        ),
        ModelCard(name="segments", source="file", input_size=size, labels=LABELS, targets=(*CLASS_TARGETS, "segment")),
    ]


@pytest.fixture(autouse=True)
def published(redis: Redis, cards: list[ModelCard]) -> None:
    catalogue.publish(redis, cards)


@pytest.fixture(scope="module")
def second() -> bytes:
    """A second picture."""
    return encode(Image.new("RGB", (20, 30), "orange"), "PNG")


def post(client: TestClient, png: bytes, params: dict[str, Any], *, to: str = "jobs", **sent: Any) -> httpx.Response:
    """Post an image with further parts: files are bytes, others texts."""
    files = {"image": ("cat.png", png)} | {k: (f"{k}.png", v) for k, v in sent.items() if isinstance(v, bytes)}
    texts = {k: v for k, v in sent.items() if isinstance(v, str)}
    return client.post(f"/v1/{to}", files=files, data={"params": json.dumps(params)} | texts)


def in_json(client: TestClient, png: bytes, params: dict[str, Any], **sent: str) -> httpx.Response:
    return client.post("/v1/jobs", json={"image": base64.b64encode(png).decode(), "params": params} | sent)


def error_of(answer: httpx.Response) -> tuple[int, str, str]:
    (error,) = answer.json()["errors"]
    return answer.status_code, error["field"], error["detail"]


def test_it_is_stored_beside_the_image(client: TestClient, redis: Redis, png: bytes, second: bytes) -> None:
    form = post(client, png, SIMILAR, target_image=second)
    as_json = in_json(client, png, SIMILAR, target_image=f"data:image/png;base64,{base64.b64encode(second).decode()}")
    for answer in (form, as_json):
        assert answer.status_code == 202, answer.text
        job = answer.json()
        assert job["params"]["target"] == {"similar_to": "target_image"}
        assert RedisBlobs(redis).names(job["id"]) == [INPUT, TARGET_PICTURE]
        assert RedisBlobs(redis).get(job["id"], TARGET_PICTURE) == second
        assert job["links"]["target_image"] is job["links"]["target_mask"] is None


def test_a_mask_is_the_same(client: TestClient, redis: Redis, png: bytes) -> None:
    region = encode(Image.new("L", (32, 24), 255), "PNG")
    answer = post(client, png, SEGMENT, target_mask=region, keep_images="true")
    job = answer.json()
    assert RedisBlobs(redis).get(job["id"], TARGET_PICTURE) == region
    assert (job["links"]["target_image"], job["links"]["target_mask"]) == (None, f"/v1/jobs/{job['id']}/target_mask")
    assert client.get(job["links"]["target_mask"]).content == region
    assert client.get(f"/v1/jobs/{job['id']}/target_image").status_code == 404


@pytest.mark.parametrize("to", ["jobs", "batches"])
def test_a_mask_of_another_size_is_refused_at_once(
    client: TestClient, png: bytes, second: bytes, no_job_is_left: None, to: str
) -> None:
    status, field, detail = error_of(post(client, png, SEGMENT, to=to, target_mask=second))
    assert (status, field) == (422, "target_mask")
    assert "as large as the image, 32 x 24 pixels, white where the region is; this one is 20 x 30" in detail


def opened(content: bytes) -> Image.Image:
    """Return a picture as grey."""
    return Image.open(io.BytesIO(content)).convert("L")


def test_a_small_mask_lies_on_black_and_an_image_on_white(client: TestClient) -> None:
    painted = Image.new("RGBA", (64, 64))
    painted.paste("white", (0, 0, 32, 64))
    mask = encode(painted, "PNG")
    links = post(client, mask, SEGMENT, target_mask=mask, keep_images="true").json()["links"]
    small = opened(client.get(links["target_mask"], params={"size": 32}).content)
    assert (small.getpixel((4, 16)), small.getpixel((28, 16))) == (255, 0)  # as `read_region` reads it
    image = opened(client.get(links["images"][0], params={"size": 32}).content)
    assert image.getextrema() == (255, 255)


@pytest.mark.parametrize("size", [None, 16])
def test_it_is_shown_where_images_are_kept(client: TestClient, png: bytes, second: bytes, size: int | None) -> None:
    kept = post(client, png, SIMILAR, target_image=second, keep_images="true").json()
    answer = client.get(kept["links"]["target_image"], params={"size": size} if size else {})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == ("image/jpeg" if size else "image/png")
    assert read_image(answer.content).size == ((11, 16) if size else (20, 30))
    again = client.get(
        kept["links"]["target_image"],
        params={"size": size} if size else {},
        headers={"If-None-Match": answer.headers["etag"]},
    )
    assert again.status_code == 304


def test_it_is_in_the_bundle_where_it_is_kept(client: TestClient, png: bytes, second: bytes, finish: Finish) -> None:
    for keep in ("true", "false"):
        job = post(client, png, SIMILAR | {"seed": int(keep == "true")}, target_image=second, keep_images=keep).json()
        finish(job["id"])
        bundle = zipfile.ZipFile(io.BytesIO(client.get(f"/v1/jobs/{job['id']}/bundle.zip").content))
        assert ("target_image.png" in bundle.namelist()) == (keep == "true")
        assert INPUT not in bundle.namelist()
    client.delete(f"/v1/jobs/{job['id']}")


def test_it_goes_with_its_job(client: TestClient, redis: Redis, png: bytes, second: bytes) -> None:
    job = post(client, png, SIMILAR, target_image=second, keep_images="true").json()
    assert client.delete(job["links"]["self"]).status_code == 204
    assert redis.keys(f"*{job['id']}*") in ([], [f"ep:events:{job['id']}".encode()])
    assert client.get(f"/v1/jobs/{job['id']}/target_image").status_code == 404


def test_its_metadata_is_removed(client: TestClient, redis: Redis, png: bytes) -> None:
    exif = Image.Exif()
    exif[0x010E] = "At home"
    told = encode(Image.new("RGB", (20, 30), "orange"), "JPEG", exif=exif)
    stored = [
        RedisBlobs(redis).get(post(client, png, SIMILAR, target_image=told, **keep).json()["id"], TARGET_PICTURE)
        for keep in ({}, {"keep_metadata": "true", "reuse": "false"})
    ]
    assert [b"At home" in (data or b"") for data in stored] == [False, True]


@pytest.mark.parametrize(
    ("params", "parts", "field", "said"),
    [
        (SIMILAR, [], "target_image", "target_image is missing"),
        (SIMILAR, ["target_image", "target_mask"], "target_mask", "target_mask is not used by this target"),
        (SIMILAR, ["target_mask"], "target_mask", "target_mask is not used by this target"),
        ({"target": "goldfish"}, ["target_image"], "target_image", 'leave it out, or ask for "target": {"similar_to"'),
        ({}, ["target_mask"], "target_mask", "target_mask is not used"),
        (SEGMENT, [], "target_mask", "target_mask is missing"),
        (SEGMENT | {"target": {"segment": "goldfish"}}, ["target_mask"], "target_mask", "is not used by this target"),
        (SIMILAR | {"model": "mobilenet_v2"}, ["target_image"], "target", "gives no embeddings: name a class"),
        ({"model": "look-alikes"}, [], "target", "has no classes: send a second picture as target_image"),
        ({"model": "look-alikes", "target": "goldfish"}, [], "target", "has no classes: send a second picture"),
    ],
)
def test_what_a_target_does_not_use_or_lacks_is_refused(
    client: TestClient,
    png: bytes,
    second: bytes,
    no_job_is_left: None,
    params: dict[str, Any],
    parts: list[str],
    field: str,
    said: str,
) -> None:
    form = post(client, png, params, **dict.fromkeys(parts, second))
    as_json = in_json(client, png, params, **dict.fromkeys(parts, base64.b64encode(second).decode()))
    for answer in (form, as_json):
        status, where, detail = error_of(answer)
        assert (status, where) == (422, field)
        assert said in detail


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        (b"no picture", 422, "the bytes aren't a picture"),
        (b"", 422, "empty"),
        ("a text", 422, "the part must be a file"),
        (bytes(300_001), 413, "it has more than the 300000 bytes"),
    ],
)
def test_what_is_no_picture_or_too_large_is_refused_under_its_name(
    client: TestClient, png: bytes, no_job_is_left: None, sent: bytes | str, status: int, said: str
) -> None:
    found, field, detail = error_of(post(client, png, SIMILAR, target_image=sent))
    assert (found, field) == (status, "target_image")
    assert said in detail


def test_one_with_too_many_pixels_is_refused_under_its_name(client: TestClient, png: bytes) -> None:
    large = encode(Image.new("L", (1001, 1000)), "PNG")
    assert error_of(post(client, png, SIMILAR, target_image=large))[:2] == (413, "target_image")


def test_there_is_one_at_most(client: TestClient, png: bytes, second: bytes) -> None:
    files = [("image", ("a.png", png)), ("target_image", ("b.png", second)), ("target_image", ("c.png", second))]
    answer = client.post("/v1/jobs", files=files, data={"params": json.dumps(SIMILAR)})
    assert error_of(answer)[1:] == ("target_image", "there are 2 parts target_image: send one")


def test_it_counts_with_the_images_of_a_request(client: TestClient, png: bytes) -> None:
    noise = Image.effect_noise((500, 500), 90)
    large = encode(noise, "PNG")
    assert 200_000 < len(large) < 300_000
    assert post(client, large, SIMILAR, target_image=png).status_code == 202
    together = post(client, large, SIMILAR, target_image=large)
    assert (together.status_code, "all images together" in together.json()["detail"]) == (413, True)
    in_base64 = base64.b64encode(bytes(200_000)).decode()
    answer = in_json(client, bytes(150_000), SIMILAR, target_image=in_base64)
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/upload-too-large")


def test_what_is_not_base64_is_told(client: TestClient, png: bytes) -> None:
    status, field, detail = error_of(in_json(client, png, SIMILAR, target_image="?"))
    assert (status, field) == (422, "target_image")
    assert "is not base64" in detail


def test_another_second_picture_is_another_request(client: TestClient, png: bytes, second: bytes) -> None:
    def send(picture: bytes) -> httpx.Response:
        files = {"image": ("a.png", png), "target_image": ("b.png", picture)}
        headers = {"Idempotency-Key": "likeness"}
        return client.post("/v1/jobs", files=files, data={"params": json.dumps(SIMILAR)}, headers=headers)

    first, again, other = send(second), send(second), send(png)
    assert first.json()["id"] == again.json()["id"]
    assert (other.status_code, other.json()["type"]) == (409, "/problems/key-reused")


def test_results_are_those_of_the_same_second_picture(
    client: TestClient, redis: Redis, store: JobStore, png: bytes, second: bytes, finish: Finish
) -> None:
    job_id = post(client, png, SIMILAR, target_image=second).json()["id"]
    finish(job_id)
    results = KnownResults(redis, retention_s=600)
    results.tell_model("look-alikes", "sha256:b0353104")
    results.add(store.get(job_id).content, model="look-alikes", job_id=job_id)

    same, other = (post(client, png, SIMILAR, target_image=one, keep_images="true").json() for one in (second, png))

    assert (same["cached"], other["cached"]) == (True, False)
    assert client.get(same["links"]["target_image"]).content == second
    forgotten = post(client, png, SIMILAR, target_image=second).json()
    assert forgotten["cached"]
    assert TARGET_PICTURE not in RedisBlobs(redis).names(forgotten["id"])


def test_the_jobs_of_a_batch_have_it_in_common(client: TestClient, redis: Redis, png: bytes, second: bytes) -> None:
    files = [("image", ("a.png", png)), ("image", ("b.png", second)), ("image", ("c.txt", b"text"))]
    files.append(("target_image", ("d.png", second)))
    answer = client.post("/v1/batches", files=files, data={"params": json.dumps(SIMILAR), "keep_images": "true"})
    assert answer.status_code == 202, answer.text
    jobs = [one["job"] for one in answer.json()["jobs"] if one["job"]]
    assert job_queue(redis).job_ids == jobs
    assert len(jobs) == 2
    assert {client.get(f"/v1/jobs/{job}/target_image").content for job in jobs} == {second}
    unreadable = post(client, png, SIMILAR, to="batches", target_image=b"text")
    assert error_of(unreadable)[1] == "target_image"


def test_the_list_tells_what_was_asked(client: TestClient, png: bytes, second: bytes) -> None:
    post(client, png, SIMILAR, target_image=second)
    (job,) = client.get("/v1/jobs").json()["jobs"]
    assert job["params"]["target"] == {"similar_to": "target_image"}


def test_a_model_of_embeddings_is_listed_without_classes(client: TestClient) -> None:
    model = client.get("/v1/models/look-alikes").json()
    assert (model["labels"], model["classes"], model["outputs"], model["targets"]) == ([], 0, "embedding", ["similar"])


def test_openapi_has_the_parts_of_both_bodies(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    for body, kind in (("JobForm", {"format": "binary"}), ("JobBody", {"contentEncoding": "base64"})):
        for part in ("target_image", "target_mask"):
            schema = document["components"]["schemas"][body]["properties"][part]
            assert schema.items() >= kind.items()
            assert schema["description"]
            assert f"/v1/jobs/{{job_id}}/{part}" in document["paths"]
