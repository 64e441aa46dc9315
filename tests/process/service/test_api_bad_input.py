"""Whatever is posted, the answer says what to change; it is never a 500 and never leaves a job behind."""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from redis import Redis

from tests.pictures import encode
from worker.broker import catalogue

from .problems import problem_of

pytestmark = pytest.mark.usefixtures("no_job_is_left")


def _image(mode: str = "RGB", size: tuple[int, int] = (64, 48), kind: str = "PNG", **options: Any) -> bytes:
    return encode(Image.effect_noise(size, 90).convert(mode), kind, **options)


@pytest.mark.parametrize(
    ("data", "status", "slug"),
    [
        pytest.param(b"", 422, "unreadable-image", id="empty"),
        pytest.param(b"%PDF-1.7 not a picture", 422, "unreadable-image", id="no image"),
        pytest.param(_image()[:2000], 422, "unreadable-image", id="truncated PNG"),
        pytest.param(_image(kind="JPEG")[:1500], 422, "unreadable-image", id="truncated JPEG"),
        pytest.param(
            _image(kind="GIF", mode="L", save_all=True, append_images=[Image.new("L", (64, 48))]),
            422,
            "unreadable-image",
            id="animated",
        ),
        pytest.param(
            _image(kind="TIFF", save_all=True, append_images=[Image.new("RGB", (9, 9))]),
            422,
            "unreadable-image",
            id="two pages",
        ),
        pytest.param(_image("1", size=(1001, 1000)), 413, "image-too-large", id="too many pixels"),
        pytest.param(b"\xff" * 300_001, 413, "upload-too-large", id="too many bytes"),
        pytest.param(b"\xff" * 500_000, 413, "upload-too-large", id="far too many bytes"),
    ],
)
@pytest.mark.parametrize("form", ["multipart", "json"])
def test_bad_images(client: TestClient, data: bytes, status: int, slug: str, form: str) -> None:
    if form == "multipart":
        answer = client.post("/v1/jobs", files={"image": data})
    else:
        answer = client.post("/v1/jobs", json={"image": base64.b64encode(data).decode()})

    problem = problem_of(answer)
    assert (problem.status, problem.type) == (status, f"/problems/{slug}")
    assert problem.errors[0].field == "image"


@pytest.mark.parametrize(
    ("parts", "field", "says"),
    [
        ([("params", (None, "{}"))], "image", "missing"),
        ([("image", (None, "text"))], "image", "filename"),
        ([("image", ("a", b"1")), ("image", ("b", b"2"))], "image", "2 images"),
        ([("image", ("a", b"1")), ("params", (None, "{}")), ("params", (None, "{}"))], "params", "2 parts"),
        ([("image", ("a", b"1")), ("mask", ("m", b"2"))], "mask", "no such part"),
        ([(f"part{i}", (None, "x")) for i in range(50)], "body", "Too many fields"),
        ([("image", (None, b"\xff\xd8" + bytes(200_000)))], "image", "must be a file, with a filename"),
    ],
)
def test_bad_forms(client: TestClient, parts: Any, field: str, says: str) -> None:
    problem = problem_of(client.post("/v1/jobs", files=parts))

    assert (problem.status, problem.errors[0].field) == (422, field)
    assert says in problem.detail


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        (b"", "body", "it is empty: send a JSON object"),
        (b" \n", "body", "it is empty"),
        (b"{", "body", "not valid JSON"),
        (b"[]", "body", "[] is not an object"),
        ('{"image": "QUJD"}'.encode("utf-16"), "body", "send it in UTF-8"),
        (b"{}", "image", "missing"),
        (b'{"image": 3}', "image", "3 is not a text"),
        (b'{"image": null}', "image", "missing"),
        (b'{"image": "QUJD", "images": ["QUJD"]}', "image", "not both"),
        (b'{"images": [], "params": {"task": "class_channels"}}', "images", "at least one"),
        (b'{"images": ["QUJD", "*"], "params": {"task": "class_channels"}}', "image.1", "not base64"),
        (b'{"images": ["QUJD", "QUJD"]}', "image", "only the task class_channels takes several"),
        (b'{"image": "*not base64*"}', "image", "not base64"),
        (b'{"image": "QUJ"}', "image", "not base64"),
        (b'{"image": "data:image/png;base64"}', "image", "not base64"),
        ('{"image": "é"}'.encode(), "image", "not base64"),
        (b'{"image": "\xff"}', "body", "not valid JSON"),
        (b'{"image": "QUJD", "params": {"areas": [2]}}', "areas.0", "2 is not a share of the image"),
        (b'{"image": "QUJD", "params": "{}"}', "params", "object"),
        (b'{"image": "QUJD", "areas": [0.1]}', "areas", "goes inside params"),
        (b'{"image": "QUJD", "imag": 1}', "imag", "did you mean image"),
        (b'{"image": "QUJD", "xyzzy": 1}', "xyzzy", "the fields are image, images, image_url, params"),
    ],
)
def test_bad_json_bodies(client: TestClient, body: bytes, field: str, says: str) -> None:
    problem = problem_of(client.post("/v1/jobs", content=body, headers={"Content-Type": "application/json"}))

    assert (problem.status, problem.errors[0].field) == (422, field)
    assert says in problem.errors[0].detail


@pytest.mark.parametrize(
    "content_type", [None, "", "image/png", "text/plain", "application/x-www-form-urlencoded", "?"]
)
def test_other_content_types_are_refused(client: TestClient, png: bytes, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = client.post("/v1/jobs", content=png, headers=headers)

    assert problem_of(answer).status == 415
    assert answer.headers["accept-post"] == "multipart/form-data, application/json"


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=x"]
)
@pytest.mark.parametrize(
    "body", [b"", b"garbage", b"--x\r\n\r\n", b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--"]
)
def test_broken_multipart(client: TestClient, content_type: str, body: bytes) -> None:
    assert problem_of(client.post("/v1/jobs", content=body, headers={"Content-Type": content_type})).status == 422


@pytest.mark.parametrize("charset", ["unicode_escape", "undefined"])
@pytest.mark.parametrize(
    "part", ['name="\\ud800"', 'name="image"; filename="\\ud800"', 'name="params"\r\n\r\n"\\ud800']
)
def test_odd_charsets(client: TestClient, charset: str, part: str) -> None:
    """Lone surrogates can't be written as UTF-8."""
    body = f"--x\r\nContent-Disposition: form-data; {part}\r\n\r\n1\r\n--x--\r\n"
    kind = {"Content-Type": f"multipart/form-data; boundary=x; charset={charset}"}

    assert problem_of(client.post("/v1/jobs", content=body, headers=kind)).status == 422


MANY = 60_000


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/batches", "/v1/classify"])
@pytest.mark.parametrize(
    "body",
    [
        {"image": "AAAA", "params": {"areas": [2] * MANY}},
        {"image": "AAAA", "params": {"task": "compare", "methods": ["no"] * MANY}},
        {"images": ["AAAA"] * MANY},
        {"image_url": ["x"] * MANY},
        {"image": "AAAA", "params": {"target": "x" * 3 * MANY}},
        {"image": "AAAA", "top": "x" * 3 * MANY},
    ],
    ids=["areas", "methods", "images", "urls", "target", "other"],
)
def test_what_is_no_image_has_a_limit_before_it_is_read(client: TestClient, path: str, body: dict[str, Any]) -> None:
    started = time.process_time()
    problem = problem_of(client.post(path, json=body))
    assert problem.status in (413, 422)
    assert time.process_time() - started < 4
    if "x" * 3 * MANY not in str(body):
        assert (problem.status, problem.errors[0].field) == (413, "params")


@pytest.mark.parametrize("part", ["params", "priority"])
def test_a_text_that_is_far_too_long_is_named(client: TestClient, png: bytes, part: str) -> None:
    problem = problem_of(client.post("/v1/jobs", files={"image": png}, data={part: "x" * 200_000}))

    assert (problem.status, problem.errors[0].field) == (413, part)


def test_a_byte_order_mark_is_no_part_of_a_text(client: TestClient, png: bytes) -> None:
    mark = "\ufeff"
    as_form = client.post("/v1/jobs", files={"image": png}, data={"params": f'{mark}{{"areas": [0.1]}}'})
    body = f'{mark}{{"image": "{base64.b64encode(png).decode()}"}}'.encode()
    as_json = client.post("/v1/jobs", content=body, headers={"Content-Type": "application/json"})

    for answer in (as_form, as_json):
        assert answer.status_code == 202, answer.text
        assert client.delete(answer.headers["location"]).status_code == 204


def test_no_models_known_yet(client: TestClient, redis: Redis, png: bytes) -> None:
    catalogue.publish(redis, [])
    answer = client.post("/v1/jobs", files={"image": png})

    assert problem_of(answer).status == 503
    assert "worker" in answer.json()["detail"]
    assert int(answer.headers["retry-after"]) > 0


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200), kind=st.sampled_from(["application/json", "multipart/form-data; boundary=x"]))
def test_any_bytes_as_a_body_are_a_problem(client: TestClient, body: bytes, kind: str) -> None:
    answer = client.post("/v1/jobs", content=body, headers={"Content-Type": kind})

    assert problem_of(answer).status == 422
