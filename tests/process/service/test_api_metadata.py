"""Metadata of posted files are never stored, unless that is asked for."""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Callable, Iterator

import httpx
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from redis import Redis

from ep_core.pictures.decoding import read_image
from service.app import create_app
from service.settings import ApiSettings
from worker.broker import classify_queries
from worker.broker.contract import JobState
from worker.broker.reuse import KnownResults
from worker.broker.store import JobStore

from .image_files import SECRET, talkative
from .in_redis import contents, keys_with
from .receivers import Answering, body

PARAMS = '{"areas": [0.05, 0.1, 0.2]}'
Send = Callable[[TestClient, bytes], httpx.Response]


@pytest.fixture(scope="module")
def files(sample: Callable[[str], Image.Image]) -> dict[str, bytes]:
    return talkative(sample("goose").convert("RGB"), orientation=6)


@pytest.fixture
def jpeg(files: dict[str, bytes]) -> bytes:
    return files["jpeg"]


@pytest.fixture
def fetching(redis: Redis, settings: ApiSettings) -> Iterator[TestClient]:
    """A client of an API that fetches images, from this machine too."""
    changes = {"fetch_urls": True, "allow_private_urls": True}
    with TestClient(create_app(settings.model_copy(update=changes)), base_url="http://127.0.0.1") as client:
        yield client


def post(client: TestClient, image: bytes, **options: str) -> httpx.Response:
    answer = client.post("/v1/jobs", files={"image": image}, data={"params": PARAMS} | options)
    assert answer.status_code in (200, 202), answer.text
    return answer


def as_json(client: TestClient, image: bytes) -> httpx.Response:
    return client.post("/v1/jobs", json={"image": base64.b64encode(image).decode(), "keep_images": True})


def as_batch(client: TestClient, image: bytes) -> httpx.Response:
    return client.post("/v1/batches", files=[("image", image), ("image", image)])


def as_class(client: TestClient, image: bytes) -> httpx.Response:
    params = '{"task": "class_channels", "layer": "features.18", "target": 1}'
    return client.post("/v1/jobs", files=[("image", image), ("image", image)], data={"params": params})


def by_address(client: TestClient, image: bytes) -> httpx.Response:
    with Answering(body(image)) as server:
        return client.post("/v1/jobs", json={"image_url": server.url})


@pytest.mark.parametrize("send", [post, as_json, as_batch, as_class, by_address])
def test_nothing_of_it_is_stored_however_it_comes(fetching: TestClient, redis: Redis, jpeg: bytes, send: Send) -> None:
    answer = send(fetching, jpeg)

    assert answer.status_code == 202, answer.text
    images = [value for values in contents(redis).values() for value in values if value.startswith(b"\xff\xd8")]
    assert images
    assert keys_with(redis, SECRET) == []
    assert {read_image(image).tobytes() for image in images} == {read_image(jpeg).tobytes()}


def test_nor_while_its_classes_are_asked_for(client: TestClient, redis: Redis, jpeg: bytes) -> None:
    asking = threading.Thread(target=client.post, args=("/v1/classify",), kwargs={"files": {"image": jpeg}})
    asking.start()
    query, image = classify_queries.take(redis, wait_s=10)
    classify_queries.answer(redis, query.id, classify_queries.Classified(model=query.model, classes=[]))
    asking.join()

    assert SECRET.encode() not in image
    assert read_image(image).tobytes() == read_image(jpeg).tobytes()


def test_kept_images_are_given_without(client: TestClient, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        link = post(client, data, keep_images="true").json()["links"]["images"][0]
        whole, small = client.get(link).content, client.get(link, params={"size": 32}).content

        assert not [content for content in (whole, small) if SECRET.encode() in content], name
        assert read_image(whole).tobytes() == read_image(data).tobytes(), name


@pytest.mark.parametrize("send", ["form", "json", "batch"])
def test_they_are_as_they_were_posted_where_that_is_asked_for(
    client: TestClient, redis: Redis, jpeg: bytes, send: str
) -> None:
    options = {"keep_images": "true", "keep_metadata": "true"}
    encoded = {"image": base64.b64encode(jpeg).decode(), "keep_images": True, "keep_metadata": True}
    if send == "batch":
        batch = client.post("/v1/batches", files=[("image", jpeg)], data=options).json()
        job = client.get(batch["jobs"][0]["link"]).json()
    else:
        job = (client.post("/v1/jobs", json=encoded) if send == "json" else post(client, jpeg, **options)).json()

    assert client.get(job["links"]["images"][0]).content == jpeg
    small = client.get(job["links"]["images"][0], params={"size": 32}).content
    assert SECRET.encode() not in small


@pytest.mark.parametrize("option", ["perhaps", ""])
def test_the_option_is_yes_or_no(client: TestClient, jpeg: bytes, option: str) -> None:
    answer = client.post("/v1/jobs", files={"image": jpeg}, data={"keep_metadata": option})

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["keep_metadata"]


def test_a_request_is_told_from_others_by_what_was_posted(client: TestClient, jpeg: bytes) -> None:
    key = {"Idempotency-Key": "a-key"}
    bare = client.get(post(client, jpeg, keep_images="true").json()["links"]["images"][0]).content
    first = client.post("/v1/jobs", files={"image": jpeg}, headers=key)
    again = client.post("/v1/jobs", files={"image": jpeg}, headers=key)
    other = client.post("/v1/jobs", files={"image": bare}, headers=key)

    assert again.json()["id"] == first.json()["id"]
    assert (other.status_code, other.json()["type"]) == (409, "/problems/key-reused")


def test_a_known_result_brings_the_images_of_the_new_post(
    client: TestClient, redis: Redis, store: JobStore, jpeg: bytes, finish: Callable[[str], None]
) -> None:
    job_id = post(client, jpeg, keep_images="true", keep_metadata="true").json()["id"]
    finish(job_id)
    results = KnownResults(redis, retention_s=600)
    results.tell_model("mobilenet_v2", "sha256:b0353104")
    results.add(str(store.get(job_id).content), model="mobilenet_v2", job_id=job_id)

    job = post(client, jpeg, keep_images="true").json()

    assert (job["cached"], job["status"]) == (True, JobState.SUCCEEDED)
    assert SECRET.encode() not in client.get(job["links"]["images"][0]).content


def test_pictures_that_are_made_carry_nothing_along(files: dict[str, bytes]) -> None:
    """Pillow saves what it knows of a picture with it: so it knows nothing."""
    for name, data in files.items():
        picture = read_image(data)
        for kind in ("PNG", "JPEG", "WEBP", "GIF"):
            buffer = io.BytesIO()
            picture.save(buffer, kind)
            saved = Image.open(buffer)
            assert SECRET.encode() not in buffer.getvalue(), (name, kind)
            assert not {"exif", "icc_profile", "xmp", "comment"} & set(saved.info), (name, kind)
