"""Posted images, as they were posted and small: `?size=` shows what the network sees, whatever the file's form."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from redis import Redis

from ep_core.pictures.decoding import read_image
from service.app import create_app
from service.decoding.decoder import Decoder, DecodeRequest
from service.decoding.decoders import Decoders
from tests.pictures import encode

from .image_files import NAMES, forms

Show = Callable[[bytes], str]


@pytest.fixture
def show(client: TestClient) -> Show:
    """A function that posts an image and returns its address."""

    def show(data: bytes) -> str:
        answer = client.post("/v1/jobs", files={"image": data}, data={"keep_images": "true"})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["links"]["images"][0])

    return show


@pytest.fixture(scope="module")
def files(photograph: Image.Image) -> dict[str, bytes]:
    return forms(photograph)


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def distance(image: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(image).astype(int) - np.asarray(other).astype(int)).mean())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [16, 128, 511])
def test_it_is_what_the_network_sees(
    client: TestClient, show: Show, files: dict[str, bytes], name: str, size: int
) -> None:
    data = files[name]
    seen = read_image(data)

    answer = client.get(show(data), params={"size": size})

    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    image = opened(answer.content)
    assert (image.format, image.mode) == ("JPEG", "RGB")
    assert max(image.size) == min(size, max(seen.size))  # never enlarged
    shrunk = max(seen.size) / max(image.size)
    assert image.size == pytest.approx([max(1, side / shrunk) for side in seen.size], abs=1)
    assert distance(image, seen.resize(image.size, Image.Resampling.LANCZOS)) < 9


@pytest.mark.parametrize(("name", "media_type"), [("jpeg", "image/jpeg"), ("gif", "image/gif"), ("bmp", "image/bmp")])
def test_without_a_size_it_is_the_posted_file(
    client: TestClient, show: Show, files: dict[str, bytes], name: str, media_type: str
) -> None:
    answer = client.get(show(files[name]))

    assert (answer.content, answer.headers["content-type"]) == (files[name], media_type)


def test_what_the_file_says_beside_the_picture_is_left_out(client: TestClient, show: Show) -> None:
    exif = Image.Exif()
    exif[0x010E] = "At home"
    picture = Image.new("RGB", (64, 48), "teal")
    data = encode(picture, "JPEG", exif=exif, comment=b"Secret", icc_profile=b"profile")

    content = client.get(show(data), params={"size": 32}).content

    assert not [text for text in (b"At home", b"Secret", b"profile", b"Exif") if text in content]


@pytest.mark.parametrize("size", ["15", "2049", "0", "-1", "", "large", "64.5", "1e2"])
def test_sizes_that_cannot_be_are_refused(client: TestClient, show: Show, png: bytes, size: str) -> None:
    answer = client.get(show(png), params={"size": size})

    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert [error["field"] for error in answer.json()["errors"]] == ["size"]


@pytest.mark.parametrize("size", [16, 2048])
def test_sizes_at_the_limits_are_taken(client: TestClient, show: Show, png: bytes, size: int) -> None:
    assert client.get(show(png), params={"size": size}).status_code == 200


def test_it_is_kept_and_not_made_again_for_who_has_it(
    client: TestClient, show: Show, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = show(jpeg)
    answers = {size: client.get(address, params=size) for size in ((), (("size", 64),), (("size", 128),))}
    tags = {answer.headers["etag"] for answer in answers.values()}
    assert len(tags) == 3
    assert all("private" in answer.headers["cache-control"] for answer in answers.values())
    assert all("immutable" in answer.headers["cache-control"] for answer in answers.values())

    monkeypatch.delattr(Decoders, "make_thumbnail")

    for size, answer in answers.items():
        again = client.get(address, params=size, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])


def test_images_that_are_gone_are_not_found(client: TestClient, show: Show, redis: Redis, jpeg: bytes) -> None:
    address = show(jpeg)
    tag = client.get(address, params={"size": 64}).headers["etag"]
    assert client.get(f"{address[:-1]}1", params={"size": 64}).status_code == 404

    redis.delete(f"ep:blobs:{address.split('/')[3]}")

    answer = client.get(address, params={"size": 64}, headers={"If-None-Match": tag})
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


def test_a_lower_limit_than_when_it_was_posted_is_told(client: TestClient, show: Show, jpeg: bytes) -> None:
    address = show(jpeg)
    lower = create_app(client.app.state.services.settings.model_copy(update={"max_pixels": 1000}))
    with TestClient(lower, base_url="http://127.0.0.1") as restarted:
        answer = restarted.get(address, params={"size": 64})
        whole = restarted.get(address)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "size")
    assert "at most 1000" in answer.json()["detail"]
    assert whole.status_code == 200


def test_they_are_made_one_at_a_time_beside_what_is_posted(
    client: TestClient, show: Show, jpeg: bytes, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = show(jpeg)
    began, go_on, at_once = threading.Event(), threading.Event(), []
    decode = Decoder.run

    def make_slowly(decoder: Decoder, request: DecodeRequest, data: bytes) -> tuple[dict[str, Any], bytes]:
        if request.size is None:
            return decode(decoder, request, data)
        at_once.append(1)
        began.set()
        assert go_on.wait(10)
        time.sleep(0.01)
        at_once.append(-1)
        return {}, b"small"

    monkeypatch.setattr(Decoder, "run", make_slowly)
    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(client.get, address, params={"size": size}) for size in range(64, 70)]
        assert began.wait(10)
        assert client.post("/v1/jobs", files={"image": png}).status_code == 202  # finds a decoder free
        assert client.get(address).content == jpeg
        go_on.set()
        assert [one.result().content for one in asked] == [b"small"] * 6

    assert at_once == [1, -1] * 6


def test_a_white_level_is_used_and_refused_where_it_is_of_none(client: TestClient) -> None:
    deep = encode(Image.fromarray(np.linspace(0, 4095, 64 * 64).astype(np.uint16).reshape(64, 64)), "PNG")

    def post(image: bytes, **params: int) -> httpx.Response:
        data = {"params": json.dumps({"areas": [0.1]} | params), "keep_images": "true"}
        return client.post("/v1/jobs", files={"image": image}, data=data)

    def brightest(answer: httpx.Response) -> int:
        small = client.get(answer.json()["links"]["images"][0], params={"size": 32}).content
        return int(np.asarray(Image.open(io.BytesIO(small))).max())

    assert brightest(post(deep)) < 20
    assert brightest(post(deep, white_level=4095)) > 240
    refused = post(encode(Image.new("RGB", (64, 48)), "PNG"), white_level=4095)
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == ["white_level"]
