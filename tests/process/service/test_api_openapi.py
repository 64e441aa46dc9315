"""The OpenAPI document: valid, complete, and its examples are what it says they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator

from ep_core.schemas.reports.extremal import ExtremalReport
from service.app import create_app
from service.http.inference_errors import is_of_inference
from service.jobs.examples import REPORT
from service.uploads.examples import REQUEST_BODY


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app().openapi()


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def _contents(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from operation.get("requestBody", {}).get("content", {}).values()
    for response in operation["responses"].values():
        yield from response.get("content", {}).values()


def _refs(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _refs(value)
    elif isinstance(node, list):
        for value in node:
            yield from _refs(value)


def _validator(document: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": document["components"]})


def test_is_openapi_3_1_with_schemas_that_are_valid_and_found(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for ref in _refs(document):
        assert ref.removeprefix("#/components/schemas/") in document["components"]["schemas"], ref


def test_operations_have_readable_unique_ids_tags_and_words(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, operation in _operations(document)]

    assert len(ids) == len(set(ids))
    assert {"create_job", "get_job", "delete_job", "get_result", "get_mask", "get_models"} <= set(ids)
    for name, operation in _operations(document):
        assert operation["tags"], name
        assert operation["summary"], name
        assert operation["description"], name


def test_every_error_is_declared_in_the_form_of_its_address(document: dict[str, Any]) -> None:
    for name, operation in _operations(document):
        of_kserve = is_of_inference(name.partition(" ")[2])
        form = ("application/json", "InferenceError") if of_kserve else ("application/problem+json", "ProblemDetails")
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                ((kind, content),) = response["content"].items()
                assert (kind, content["schema"]["$ref"].rpartition("/")[2]) == form, (name, status)
    declared = {name: set(operation["responses"]) for name, operation in _operations(document)}
    of_all = {"401", "403", "429", "503"}
    assert declared["post /v1/jobs"] == {"200", "202", "409", "413", "415", "422", *of_all}
    assert declared["get /v1/jobs"] == {"200", "422", *of_all}
    assert declared["delete /v1/jobs"] == {"200", "422", *of_all}
    assert declared["get /v1/jobs/{job_id}/events"] == {"200", "204", "404", "422", *of_all}
    assert declared["get /v1/jobs/{job_id}"] == {"200", "404", *of_all}
    assert declared["get /v1/jobs/{job_id}/masks/{area}.png"] == {"200", "304", "404", "409", "422", *of_all}
    assert declared["delete /v1/jobs/{job_id}"] == {"204", "404", *of_all}
    assert declared["post /v1/classify"] == {"200", "413", "415", "422", *of_all}
    assert declared["post /v1/models/{name}:predict"] == {"200", "404", "413", "415", "422", *of_all}
    of_jobs = {"200", "404", "409", "413", "415", "422", "504", *of_all}
    assert declared["post /v1/models/{name}:explain"] == declared["post /v2/models/{name}/infer"] == of_jobs
    assert declared["post /v1/batches"] == {"202", "409", "413", "415", "422", *of_all}


def test_no_parameter_is_null(document: dict[str, Any]) -> None:
    for name, operation in _operations(document):
        for parameter in operation.get("parameters", []):
            assert "null" not in str(parameter["schema"]), (name, parameter["name"])


def test_examples_validate_against_their_schemas(document: dict[str, Any]) -> None:
    checked = 0
    for name, operation in _operations(document):
        for content in _contents(operation):
            examples = [e["value"] for e in content.get("examples", {}).values()]
            examples += [content["example"]] if "example" in content else []
            for example in examples:
                errors = list(_validator(document, content["schema"]).iter_errors(example))
                assert errors == [], name
                checked += 1
    for schema in document["components"]["schemas"].values():
        for example in schema.get("examples", []):
            assert list(_validator(document, schema).iter_errors(example)) == []
            checked += 1
    assert checked > 20
    assert ExtremalReport.model_validate(REPORT).curve


@pytest.mark.parametrize("example", REQUEST_BODY["content"]["application/json"]["examples"].values())
def test_the_example_requests_are_accepted(client: TestClient, example: dict[str, Any]) -> None:
    assert client.post("/v1/jobs", json=example["value"]).status_code == 202


def test_is_served(client: TestClient) -> None:
    assert client.get("/openapi.json").json()["info"]["title"] == "Extremal perturbations"
