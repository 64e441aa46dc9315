"""Handlers that answer any error with problem details (RFC 9457) and the request's id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from http import HTTPMethod, HTTPStatus
from typing import Annotated, Any

import structlog
from asgi_correlation_id import correlation_id
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from ep_core.errors import InvalidInput, UnknownName
from worker.broker.contract import Problem
from worker.broker.problems import PROBLEM_TYPES, http_problem, make_problem, problem_from
from worker.broker.queue import REDIS_UNUSABLE, RedisIsCluster

from .errors import ApiError, InvalidFields, Unavailable
from .inference_errors import as_error, is_of_inference
from .prefix import path_of, prefix_of
from .validation import FieldError, field_errors

MEDIA_TYPE = "application/problem+json"
REQUEST_ID_HEADER = "X-Request-ID"

_log = structlog.get_logger(__name__)


class ProblemDetails(Problem):
    """Problem details (RFC 9457). The optional members depend on `type`."""

    type: Annotated[str, Field(description="Stable identifier of the kind of problem, e.g. `/problems/invalid-input`.")]
    request_id: Annotated[str | None, Field(description="Names the request in the logs.")] = None
    errors: Annotated[list[FieldError] | None, Field(description="One entry per field that can't be used.")] = None
    state: Annotated[str | None, Field(description="The state of the job, if that is the obstacle.")] = None
    error: Annotated[Problem | None, Field(description="The reason of the job's failure, if it failed.")] = None


def install(app: FastAPI) -> None:
    """Answer every error of `app` with problem details."""
    handlers: dict[Any, Any] = {
        ApiError: _api_error,
        InvalidInput: _invalid_input,
        RequestValidationError: _invalid_parameters,
        HTTPException: _http_error,
        ClientDisconnect: _client_left,
        Exception: _unexpected,
        **dict.fromkeys(REDIS_UNUSABLE, _redis_unusable),
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


def problem_responses(*kinds: type[ApiError]) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of the errors that an endpoint may answer with."""
    by_status: defaultdict[int, list[type[ApiError]]] = defaultdict(list)
    for kind in kinds:
        by_status[PROBLEM_TYPES[kind.slug].status].append(kind)
    return {status: _response(by_status[status]) for status in sorted(by_status)}


def _response(kinds: Sequence[type[ApiError]]) -> dict[str, Any]:
    """Return what OpenAPI says of errors of the same status."""
    examples = {kind.slug: {"value": make_problem(kind.slug, kind.example).model_dump()} for kind in kinds}
    schema = {"$ref": f"#/components/schemas/{ProblemDetails.__name__}"}
    return {
        "description": " Or: ".join((kind.__doc__ or "").strip() for kind in kinds),
        "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}},
    }


class _ProblemResponse(JSONResponse):
    """Problem as a response; the address that was asked decides about its form."""

    def __init__(self, members: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        super().__init__(members, members["status"], headers, MEDIA_TYPE)
        self._members = members
        self._given = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_of_inference(path_of(scope)):
            await JSONResponse(as_error(self._members), self.status_code, self._given)(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def respond(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """Return a problem as a response, to clients of KServe's protocols in their form (`inference_errors`)."""
    members = problem.model_dump(mode="json", exclude_none=True) | {"request_id": correlation_id.get()}
    return _ProblemResponse(members, dict(headers or {}))


async def _api_error(_: Request, error: ApiError) -> Response:
    return respond(error.problem, error.headers)


async def _invalid_input(_: Request, error: InvalidInput) -> Response:
    entry = FieldError(
        field=error.field or "params",
        detail=error.detail,
        nearest=error.nearest if isinstance(error, UnknownName) else None,
    )
    return respond(problem_from(error).model_copy(update={"errors": [entry.model_dump(exclude_none=True)]}))


async def _invalid_parameters(_: Request, error: RequestValidationError) -> Response:
    return respond(InvalidFields(field_errors(error.errors())).problem)


async def _http_error(request: Request, error: HTTPException) -> Response:
    status = HTTPStatus(error.status_code)
    headers = {"Allow": _allowed(request)} if status == HTTPStatus.METHOD_NOT_ALLOWED else error.headers
    return respond(http_problem(status, _routing_detail(request, status) or error.detail), headers)


def _routing_detail(request: Request, status: HTTPStatus) -> str | None:
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return "This address doesn't take this method; the header Allow says which it takes."
    if status != HTTPStatus.NOT_FOUND:
        return None
    if path_of(request.scope).endswith("/") and _methods(request, request.scope["path"].rstrip("/")):
        return "There is nothing at this address. Without the slash at its end there is."
    return f"There is nothing at this address. See {prefix_of(request.scope)}/docs for what there is."


def _allowed(request: Request) -> str:
    """Return all methods of an address; the error itself knows those of its first route only."""
    return ", ".join(sorted(_methods(request, request.scope["path"])))


def _methods(request: Request, path: str) -> set[str]:
    """Return the methods that a path takes; none where there is nothing."""
    scope = {**request.scope, "path": path, "root_path": prefix_of(request.scope)}
    scopes = {method.value: {**scope, "method": method.value} for method in HTTPMethod}
    routes = request.app.routes
    taken = {m for m, scope in scopes.items() if any(r.matches(scope)[0] is Match.FULL for r in routes)}
    return taken | {HTTPMethod.HEAD.value} if HTTPMethod.GET in taken else taken  # `service.http.head` answers it


async def _redis_unusable(_: Request, error: Exception) -> Response:
    _log.warning("redis unusable", reason=f"{type(error).__name__}: {error}")
    unavailable = Unavailable(f"{error}." if isinstance(error, RedisIsCluster) else Unavailable.example)
    return respond(unavailable.problem, unavailable.headers)


async def _client_left(_: Request, __: ClientDisconnect) -> Response:
    return Response(status_code=HTTPStatus.BAD_REQUEST)  # nobody reads it


async def _unexpected(_: Request, __: Exception) -> Response:
    # The server logs the stack trace. This answer goes out past the middleware that sets these headers.
    request_id = correlation_id.get() or ""
    problem = make_problem(
        "internal-error", f"Something went wrong that should not. Tell the operator the request id: {request_id}."
    )
    return respond(problem, {"X-Content-Type-Options": "nosniff", REQUEST_ID_HEADER: request_id})
