"""What is generated is of the document that the service serves: a client that has drifted from it fails here."""

from __future__ import annotations

import dataclasses
from typing import Any, get_args

import pytest
from extremal_client.core.forms import OPTIONS
from extremal_client.core.reading import read_as
from extremal_client.generated import operations, schemas
from extremal_client.results import KINDS

from clients.document import Document, served_document
from clients.generate import CLIENTS
from clients.python import generate as python
from clients.typescript import generate as typescript
from ep_core.schemas.tasks import TASKS
from service.uploads.options import JobOptions


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return served_document()


def test_the_modules_are_those_of_the_served_document(document: dict[str, Any]) -> None:
    for client in CLIENTS:
        for name, text in client.generate(Document(document)).items():
            assert (client.FOLDER / name).read_text() == text, f"{name} has drifted: run `make client`"


def test_a_change_of_the_document_changes_the_modules(document: dict[str, Any]) -> None:
    named = document["components"]["schemas"]
    point = named["CurvePoint"]
    more = point | {"properties": {**point["properties"], "entropy": {"type": "number"}}, "required": ["entropy"]}
    changed = document | {"components": {"schemas": {**named, "CurvePoint": more}}}
    assert "    entropy: float\n" in python.generate(Document(changed))["schemas.py"]
    assert "  entropy: number;\n" in typescript.generate(Document(changed))["schemas.ts"]


def test_every_task_has_its_arguments_and_its_result() -> None:
    for name, task in TASKS.items():
        arguments = schemas.__dict__[f"{task.spec.__name__.removesuffix('Spec')}Arguments"].__annotations__
        params = set(task.spec.model_json_schema()["properties"]) - {"task"}
        assert set(arguments) == params | OPTIONS
        assert issubclass(KINDS[name], schemas.__dict__[task.report.__name__])


def test_options_are_told_from_parameters() -> None:
    assert set(JobOptions.model_fields) <= OPTIONS
    for task in TASKS.values():
        assert not OPTIONS & set(task.spec.model_fields), task.name


def test_addresses_are_those_of_the_document(document: dict[str, Any]) -> None:
    assert set(operations.OPERATIONS) == set(get_args(operations.Name))
    for name, (method, path) in operations.OPERATIONS.items():
        assert document["paths"][path][method.lower()]["operationId"] == name


def test_dataclasses_have_the_fields_of_their_schemas_but_the_deprecated_ones(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        made = schemas.__dict__.get(name)
        if dataclasses.is_dataclass(made):
            wanted = [key for key, one in schema.get("properties", {}).items() if not one.get("deprecated")]
            assert [one.name for one in dataclasses.fields(made)] == wanted, name


@pytest.mark.parametrize("name", ["JobRead", "BatchRead", "ModelRead", "TaskList", "Classified"])
def test_examples_of_answers_can_be_read(document: dict[str, Any], name: str) -> None:
    reference = f"#/components/schemas/{name}"
    found = 0
    for operation in (one for path in document["paths"].values() for one in path.values()):
        for response in operation["responses"].values():
            content = response.get("content", {}).get("application/json", {})
            if content.get("schema", {}).get("$ref") == reference and "example" in content:
                read_as(schemas.__dict__[name], content["example"])
                found += 1
    assert found or name not in ("JobRead", "Classified")
