"""OpenAPI document: FastAPI's, with additions that no endpoint declares, and suited to client generators.

Bodies are named schemas, files are bytes, arrays have one kind of items; `docs/api.md` shows how to generate a client.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from service.access.authentication import SECURITY_SCHEMES
from service.classify import examples as classify
from service.http.json_schema import REFERENCE, Schema, is_nullable, plain_tuples, reached, without_null
from service.http.prefix import FOR_MACHINES, prefix_of
from service.http.problems import REQUEST_ID_HEADER, ProblemDetails
from service.kserve import examples as kserve
from service.kserve.schemas import InferenceError
from service.uploads import examples as uploads

_REQUEST_ID = {
    "name": REQUEST_ID_HEADER,
    "in": "header",
    "description": "A UUID that names the request in the logs, and the job that it posts; by default one is generated.",
    "schema": {"type": "string"},
}

_ERRORS = (ProblemDetails.__name__, InferenceError.__name__)


def install(app: FastAPI) -> None:
    """Let `app` describe itself, problem details included."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _describe(app)
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]  # FastAPI's documented way
    app.router.routes[:] = [route for route in app.routes if getattr(route, "path", None) != app.openapi_url]
    app.add_route(str(app.openapi_url), _document, include_in_schema=False)


async def _document(request: Request) -> JSONResponse:
    """Return the document, with where the API is as seen from it: FastAPI's own names the host's root, too."""
    return JSONResponse(request.app.openapi() | {"servers": _servers(prefix_of(request.scope))})


def _servers(prefix: str = "") -> list[dict[str, str]]:
    return [{"url": prefix or "/"}]


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
        servers=_servers(),
        routes=app.routes,
    )
    _, problem = models_json_schema([(ProblemDetails, "validation")], ref_template=REFERENCE)
    document["components"]["schemas"] |= problem["$defs"] | uploads.SCHEMAS | classify.SCHEMAS | kserve.SCHEMAS
    _drop_default_errors(document)
    _drop_null_parameters(document)
    _declare_keys(document)
    _declare_request_ids(document)
    _require_answered(document["components"]["schemas"])
    plain_tuples(document["components"]["schemas"])
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
    """Drop null as a value of query parameters and headers: they are left out instead, and `null` is a text there.

    One that has only one value has to be sent, as its endpoint declares.
    """
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", []):
                parameter["schema"] = without_null(parameter["schema"])
                parameter["required"] |= "const" in parameter["schema"]


def _declare_keys(document: dict[str, Any]) -> None:
    """Declare that a key may be needed, by one of two headers; without keys in the settings, none is."""
    document["components"]["securitySchemes"] = SECURITY_SCHEMES
    keys: list[dict[str, list[str]]] = [{name: []} for name in SECURITY_SCHEMES]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            operation["security"] = [] if path in FOR_MACHINES else [*keys, {}]


def _declare_request_ids(document: dict[str, Any]) -> None:
    """Declare request ids of posts: an optional parameter, without which openapi-python-client forgets an import."""
    for path in document["paths"].values():
        if "post" in path:
            path["post"].setdefault("parameters", []).append(_REQUEST_ID)


def _require_answered(schemas: dict[str, Schema]) -> None:
    """Declare that responses have all fields that are never null; requests and problems may lack some.

    Those that may be null are sent, too, but FastAPI drops nulls from examples.
    """
    partly = reached({*uploads.SCHEMAS, *classify.SCHEMAS, *kserve.BODIES, *_ERRORS}, schemas)
    for name, schema in schemas.items():
        if name not in partly and "properties" in schema:
            never_null = {field for field, kind in schema["properties"].items() if not is_nullable(kind)}
            always = never_null.union(schema.get("required", ()))
            schema["required"] = [field for field in schema["properties"] if field in always]
