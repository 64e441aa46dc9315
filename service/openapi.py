"""The OpenAPI document: FastAPI's, plus the schema of problem details, which no endpoint returns by itself."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from .access.callers import SECURITY_SCHEMES
from .problems import ProblemDetails

REF = "#/components/schemas/{model}"


def install(app: FastAPI) -> None:
    """Let `app` describe itself, problem details included."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _describe(app)
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]  # FastAPI's documented way


def operation_id(route: APIRoute) -> str:
    """Name operations after their functions, so that generated clients read well."""
    return route.name


def _describe(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        tags=app.openapi_tags,
        routes=app.routes,
        separate_input_output_schemas=False,  # parameters have one schema, posted or read
    )
    _, problem = models_json_schema([(ProblemDetails, "validation")], ref_template=REF)
    document["components"]["schemas"].update(problem["$defs"])
    _drop_default_errors(document)
    _drop_null_parameters(document)
    _declare_keys(document)
    return document


def _drop_default_errors(document: dict[str, Any]) -> None:
    """Drop the 422 that FastAPI declares for every parameter: here each endpoint declares the errors that it has."""
    for path in document["paths"].values():
        for operation in path.values():
            if "HTTPValidationError" in str(operation["responses"].get("422")):
                del operation["responses"]["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)


def _drop_null_parameters(document: dict[str, Any]) -> None:
    """Drop null as a value of query parameters and headers: they are left out instead, and `null` is a text there."""
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", []):
                schema = parameter["schema"]
                kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
                if len(kinds) == 1:
                    del schema["anyOf"]
                    schema |= kinds[0]


def _declare_keys(document: dict[str, Any]) -> None:
    """Say that a key may be needed, sent one way or the other; where there are none, none is."""
    document["components"]["securitySchemes"] = SECURITY_SCHEMES
    for path, operations in document["paths"].items():
        for operation in operations.values() if path.startswith("/v1/") else ():
            operation["security"] = [{name: []} for name in SECURITY_SCHEMES] + [{}]
