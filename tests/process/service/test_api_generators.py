"""The OpenAPI document as generators of clients and linters want it, and what it promises them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator

from service.app import create_app
from service.http.json_schema import reached, without_null
from service.http.media_types import BYTES
from service.http.prefix import FOR_MACHINES
from worker.broker.store import JobStore

TEXTS = ("application/json", "application/problem+json", "text/event-stream", "text/plain")
COMPOSED = ("allOf", "anyOf", "oneOf")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app().openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def schemas(node: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything in the document that may be a schema, and where it is."""
    if isinstance(node, dict):
        yield place, node
    for key, inner in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        if key not in ("example", "examples"):
            yield from schemas(inner, f"{place}/{key}")


def test_it_says_where_the_service_is_and_where_keys_are_needed(document: dict[str, Any]) -> None:
    assert document["servers"] == [{"url": "/"}]
    for name, operation in operations(document):
        open_to_all = name.removeprefix("get ") in FOR_MACHINES
        assert operation["security"] == ([] if open_to_all else [{"bearer": []}, {"header": []}, {}]), name


def test_arrays_have_items_of_one_kind_and_defaults_are_allowed_values(document: dict[str, Any]) -> None:
    for place, schema in schemas(document):
        assert "prefixItems" not in schema, place
        if schema.get("type") == "array":
            assert schema["items"], place
        if "const" in schema and "default" in schema:
            assert schema["default"] == schema["const"], place


def test_each_schema_has_one_name(document: dict[str, Any]) -> None:
    names = document["components"]["schemas"]
    assert not [name for name in names if name.endswith(("-Input", "-Output"))]
    assert {"JobForm", "JobBody", "ClassifyForm", "ClassifyBody", "PixelSize", "PixelBox"} <= set(names)


def test_bodies_are_named_objects_with_nothing_beside_their_properties(document: dict[str, Any]) -> None:
    posts = [operation for name, operation in operations(document) if name.startswith("post ")]
    assert len(posts) == 6
    for operation in posts:
        for content in operation["requestBody"]["content"].values():
            name = content["schema"]["$ref"].rpartition("/")[2]
            body = document["components"]["schemas"][name]
            assert body["type"] == "object"
            assert not body.keys() & set(COMPOSED), name


@pytest.mark.parametrize("name", ["JobForm", "JobBody"])
@pytest.mark.parametrize("given", [{}, {"params": {}}, {"image_url": []}, {"image": "aGk="}, {"images": ["aGk="]}])
def test_a_body_without_any_image_is_still_none(document: dict[str, Any], name: str, given: dict[str, Any]) -> None:
    in_form = name == "JobForm"
    if in_form and "image" in given:
        given = {"image": [given["image"]]}
    known = {"image", "image_url"} if in_form else {"image", "images", "image_url"}
    schema = {**document["components"]["schemas"][name], "components": document["components"]}
    assert Draft202012Validator(schema).is_valid(given) == bool(given.keys() & known)


@pytest.mark.parametrize("name", ["ClassifyForm", "ClassifyBody"])
def test_a_classification_has_an_image_or_its_address(document: dict[str, Any], name: str) -> None:
    schema = Draft202012Validator({**document["components"]["schemas"][name], "components": document["components"]})
    for given in ({"image": "aGk="}, {"image_url": "https://pictures.test/a.png", "top": 1}):
        assert schema.is_valid(given)
    assert not schema.is_valid({"top": 1})


def test_parts_of_forms_and_parameters_are_never_null(document: dict[str, Any]) -> None:
    forms = [schema for name, schema in document["components"]["schemas"].items() if name.endswith("Form")]
    properties = [kind for form in forms for kind in form["properties"].values()]
    parameters = [one["schema"] for _, operation in operations(document) for one in operation.get("parameters", [])]
    for schema in (*properties, *parameters):
        assert without_null(schema) == schema


def test_answers_always_have_what_is_never_null(document: dict[str, Any]) -> None:
    known = document["components"]["schemas"]
    assert {"partial_curve", "links", "attempt", "cached"} <= set(known["JobRead"]["required"])
    assert {"task", "image", "frame", "curve", "alternatives", "warnings"} <= set(known["ExtremalReport"]["required"])
    for name in reached(["JobForm", "JobBody"], known):
        assert "areas" not in known[name].get("required", ())


def test_files_can_be_had_as_plain_bytes(document: dict[str, Any]) -> None:
    files = 0
    for name, operation in operations(document):
        content = operation["responses"].get("200", {}).get("content", {})
        kinds = [kind for kind in content if kind not in TEXTS]
        if kinds:
            files += 1
            assert BYTES in kinds, name
            assert all(content[kind]["schema"] == {"type": "string", "format": "binary"} for kind in kinds), name
    assert files == 18


@pytest.mark.parametrize(
    ("accept", "sent"),
    [
        (None, "image/png"),
        ("*/*", "image/png"),
        ("image/*;q=0.8, application/octet-stream", "image/png"),
        ("application/octet-stream, image/png", "image/png"),
        ("text/html", "image/png"),
        (BYTES, BYTES),
        ("application/json, Application/Octet-Stream;q=0.5", BYTES),
    ],
)
def test_a_file_is_called_bytes_where_nothing_else_is_taken(
    client: TestClient, post: Callable[[], str], finish: Callable[[str], None], accept: str | None, sent: str
) -> None:
    job_id = post()
    finish(job_id)
    headers = {} if accept is None else {"accept": accept}
    address = f"/v1/jobs/{job_id}/masks/0.1.png"
    answer = client.get(address, headers=headers)
    assert (answer.headers["content-type"], answer.headers["vary"]) == (sent, "Accept")
    assert answer.content == b"picture masks/0.1.png"
    assert client.get(address, headers=headers | {"if-none-match": answer.headers["etag"]}).status_code == 304


def test_a_posted_image_is_called_bytes_too(client: TestClient, png: bytes) -> None:
    job = client.post("/v1/jobs", files={"image": ("a.png", png)}, data={"keep_images": "true"}).json()
    for query in ("", "?size=16"):
        answer = client.get(f"/v1/jobs/{job['id']}/images/0{query}", headers={"accept": BYTES})
        assert answer.headers["content-type"] == BYTES
        assert answer.content[:4] in (png[:4], b"\xff\xd8\xff\xe0")


def test_a_post_can_be_named(document: dict[str, Any], client: TestClient, store: JobStore, png: bytes) -> None:
    for name, operation in operations(document):
        named = "X-Request-ID" in [one["name"] for one in operation.get("parameters", [])]
        assert named == name.startswith("post "), name
    name = "0f8fad5bd9cb469fa165708677289501"
    answer = client.post("/v1/jobs", files={"image": ("a.png", png)}, headers={"X-Request-ID": name})
    assert answer.headers["x-request-id"] == store.get(answer.json()["id"]).request_id == name
