"""Whatever is posted, the answer says what to change; it is never a 500 and never leaves a job behind."""

from __future__ import annotations

import base64
import io
import json
import time
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from redis import Redis

from ep_core.schemas.specs import ExtremalSpec
from service.http.problems import ProblemDetails
from service.uploads.limits import MAX_PARAMS_BYTES
from worker.broker import catalogue


def problem_of(answer: Any) -> ProblemDetails:
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    problem = ProblemDetails.model_validate(answer.json())
    assert problem.status == answer.status_code
    assert problem.request_id == answer.headers["x-request-id"]
    return problem


@pytest.fixture(autouse=True)
def no_job_is_left(redis: Redis) -> Any:
    yield
    assert redis.keys("ep:job:*") == redis.keys("ep:blobs:*") == redis.keys("rq:job:*") == []


def _image(mode: str = "RGB", size: tuple[int, int] = (64, 48), kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise(size, 90).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


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
    ("params", "field", "says"),
    [
        ('{"model": "mobilenet"}', "model", "mobilenet_v2"),
        ('{"model": "resnet10t"}', "model", "timm:org/resnet10t.c3_in1k"),
        ('{"target": "black bear"}', "target", "American black bear"),
        ('{"target": "crane"}', "target", "[3, 4]"),
        ('{"target": 6}', "target", "0 to 5"),
        ('{"target": -1}', "target", "0 to 5"),
        ('{"target": 1.5}', "target", "1.5 is not a whole number"),
        ('{"target": true}', "target", "true is not a text"),
        ('{"target": ""}', "target", "at least 1 character"),
        ('{"target": {"class": 0}}', "target.instead_of", "it is missing"),
        ('{"target": {"class": 0.5, "instead_of": 1}}', "target.class", "0.5 is not a whole number"),
        ('{"target": {"class": 0, "instead_of": 0}}', "target", "a class instead of itself"),
        ('{"target": {"class": 0, "instead_of": 6}}', "target", "0 to 5"),
        ('{"target": {"class": 0, "instead_of": "black bear"}}', "target", "American black bear"),
        ('{"target": {"class": 0, "instead_of": 1, "or": 2}}', "target.or", "there is no such field"),
        ('{"target": {"text": "a bear in snow"}}', "target", "doesn't compare images with texts"),
        ('{"target": {"text": ""}}', "target.text", "at least 1 character"),
        ('{"target": {}}', "target.class", "it is missing"),
        ('{"target": {"text": "a bear", "instead_of": 1}}', "target.instead_of", "there is no such field"),
        ('{"target": []}', "target", "not a whole number"),
        ('{"target": 99999999999999999999999}', "target", "0 to 5"),
        ('{"variant": "keep"}', "variant", "'preserve', 'delete' or 'hybrid'"),
        ('{"perturbation": "noise"}', "perturbation", "'blur' or 'fade'"),
        ('{"preset": "slow"}', "preset", "'fast' or 'paper'"),
        ('{"task": "chanels"}', "task", "did you mean channels"),
        ('{"task": "xyzzy"}', "task", "the tasks are extremal, channels, class_channels"),
        ('{"task": 3}', "task", "no such task"),
        ('{"task": "channels", "areas": [0]}', "areas.0", "must be at least 1"),
        ('{"task": "channels", "areas": [0.1]}', "areas.0", "whole number"),
        ('{"task": "channels", "areas": [1, 1]}', "areas", "different"),
        ('{"task": "channels", "zzz": 1}', "zzz", "the fields are task, model"),
        ('{"task": "channels", "layr": "x"}', "layr", "did you mean layer"),
        ('{"task": "channels", "layer": "features.81"}', "layer", "did you mean 'features.8'"),
        ('{"task": "channels", "layer": "features.13", "areas": [97]}', "areas", "use 1 to 96"),
        ('{"task": "class_channels", "top": 99}', "top", "must be at most 16"),
        ('{"areas": []}', "areas", "there must be at least 1"),
        (json.dumps({"areas": [i / 100 for i in range(1, 66)]}), "areas", "there may be at most 64"),
        ('{"areas": [0.1, 0.2, 0.10]}', "areas", "different"),
        ('{"areas": 0.1}', "areas", "0.1 is not a list"),
        ('{"areas": [0.1, 0]}', "areas.1", "must be more than 0"),
        ('{"areas": [0.1, 1]}', "areas.1", "must be less than 1"),
        (f'{{"areas": [1{"0" * 400}]}}', "areas.0", "is too large"),
        (f'{{"areas": [-1{"0" * 400}]}}', "areas.0", "is too small"),
        ('{"areas": [10, 20]}', "areas.0", "10 is not a share of the image: write 0.1 for 10 %"),
        ('{"target": "2"}', "target", 'a class index is a number, not a text, as in "target": 2'),
        ('{"areas": [-0.5]}', "areas.0", "must be more than 0"),
        ('{"areas": ["a lot"]}', "areas.0", "number"),
        ('{"areas": [NaN]}', "areas.0", "finite"),
        ('{"areas": [0.1, Infinity]}', "areas.1", "finite"),
        ('{"threshold": NaN}', "threshold", "finite"),
        ('{"seed": -1}', "seed", "must be at least 0"),
        ('{"iterations": 0}', "iterations", "must be at least 1"),
        ('{"perturbation": "fade", "sigma_max": 5}', "sigma_max", "at most 1"),
        ('{"independent": 0}', "independent", "neither true nor false"),
        ('{"area": [0.1]}', "area", "did you mean areas"),
        ('{"zzz": 1}', "zzz", "the fields are task, model, target"),
        ("[0.1, 0.2]", "params", "object"),
        ("null", "params", "object"),
        ('"areas"', "params", "object"),
        ("areas=0.1", "params", "not valid JSON"),
        ('{"areas": [0.1]', "params", "not valid JSON"),
        ('{"target": "\\ud800"}', "params", "not valid JSON"),
        ("[" * 5000, "params", "not valid JSON"),
    ],
)
def test_bad_params_are_named_and_the_allowed_is_said(
    client: TestClient, png: bytes, params: str, field: str, says: str
) -> None:
    problem = problem_of(client.post("/v1/jobs", files={"image": png}, data={"params": params}))

    assert problem.status == 422
    assert problem.errors[0].field == field
    assert says in problem.errors[0].detail
    assert says in problem.detail


def test_every_bad_field_is_named_with_its_value_and_what_is_allowed(client: TestClient, png: bytes) -> None:
    params = '{"areas": [0.1, 7, NaN], "variant": "keep", "sed": 1}'
    problem = problem_of(client.post("/v1/jobs", files={"image": png}, data={"params": params}))

    by_field = {error.field: error for error in problem.errors}
    assert set(by_field) == {"areas.1", "areas.2", "variant", "sed"}
    assert (by_field["areas.1"].value, by_field["areas.2"].value) == ("7", "NaN")
    assert by_field["variant"].allowed["enum"] == ["preserve", "delete", "hybrid"]
    assert by_field["areas.1"].allowed["items"]["exclusiveMaximum"] == 1
    assert by_field["sed"].nearest[0] == "seed"
    assert problem.type == "/problems/invalid-input"


def test_names_that_may_have_been_meant_are_listed(client: TestClient, png: bytes) -> None:
    problem = problem_of(client.post("/v1/jobs", files={"image": png}, data={"params": '{"target": "bear"}'}))

    assert problem.type == "/problems/unknown-name"
    assert problem.errors[0].nearest == ["brown bear", "American black bear"]


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


def test_long_params_are_refused(client: TestClient, png: bytes) -> None:
    params = "{" + " " * MAX_PARAMS_BYTES + "}"
    problem = problem_of(client.post("/v1/jobs", files={"image": png}, data={"params": params}))

    assert (problem.status, problem.errors[0].field) == (413, "params")


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


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
near_params = st.dictionaries(
    st.sampled_from(list(ExtremalSpec.model_fields)) | st.text(max_size=8), json_values, max_size=4
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(params=near_params | json_values)
def test_any_json_as_params_is_a_job_or_a_problem(client: TestClient, redis: Redis, png: bytes, params: Any) -> None:
    answer = client.post("/v1/jobs", files={"image": png}, data={"params": json.dumps(params)})

    assert answer.status_code in (202, 422), answer.text
    if answer.status_code == 202:
        assert client.delete(answer.headers["location"]).status_code == 204
    else:
        assert problem_of(answer).errors


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200), kind=st.sampled_from(["application/json", "multipart/form-data; boundary=x"]))
def test_any_bytes_as_a_body_are_a_problem(client: TestClient, body: bytes, kind: str) -> None:
    answer = client.post("/v1/jobs", content=body, headers={"Content-Type": kind})

    assert problem_of(answer).status == 422
