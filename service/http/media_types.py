"""Media types of files: a file's own, or plain bytes for a client that accepts nothing else of it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Header, Response

from .json_schema import FILE

BYTES = "application/octet-stream"

Accept = Annotated[str | None, Header(include_in_schema=False)]  # OpenAPI reads it off the answers' types


def file_content(*media_types: str) -> dict[str, Any]:
    """Return OpenAPI's description of a response that is a file; the bytes are for generated clients."""
    return {media_type: {"schema": FILE} for media_type in (*media_types, BYTES)}


def negotiate(response: Response, accept: str | None) -> Response:
    """Return an answer that is a file, called plain bytes where `accept` names these and not the file's own type."""
    response.headers["Vary"] = "Accept"
    own = response.headers.get("content-type", "")  # a 304 has none
    if own and _only_bytes(own, accept or "*/*"):
        response.headers["Content-Type"] = BYTES
    return response


def _only_bytes(own: str, accept: str) -> bool:
    taken = {kind.partition(";")[0].strip().lower() for kind in accept.split(",")}
    return BYTES in taken and not taken & {own, own.partition("/")[0] + "/*", "*/*"}
