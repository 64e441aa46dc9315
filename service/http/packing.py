"""Responses that gzip has packed, for clients that take them so."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Header, Response

from .caching import checked_response

AcceptEncoding = Annotated[str, Header(include_in_schema=False)]
_WORTH = 0.8


@dataclass(frozen=True)
class Content:
    """Body of a response."""

    plain: bytes
    media_type: str
    packed: bytes | None
    """The body as gzip packs it, where that is worth it."""


def pack(plain: bytes, media_type: str) -> Content:
    """Return a body, packed where that is worth it."""
    smaller = gzip.compress(plain, mtime=0)  # all API processes give the same
    return Content(plain, media_type, smaller if len(smaller) < _WORTH * len(plain) else None)


def packed_response(
    content: Content, *, if_none_match: str | None, accept_encoding: str, is_public: bool = False
) -> Response:
    """Return a body that may change as `checked_response` does, packed where the client takes that.

    Args:
        content: the body.
        if_none_match: the request's header.
        accept_encoding: the request's header.
        is_public: as for `checked_response`.
    """
    packed = content.packed if "gzip" in accept_encoding else None
    body = content.plain if packed is None else packed  # each has an entity tag of its own
    response = checked_response(body, content.media_type, if_none_match=if_none_match, is_public=is_public)
    response.headers["Vary"] = "Accept-Encoding"
    if packed is not None and response.status_code == HTTPStatus.OK:
        response.headers["Content-Encoding"] = "gzip"
    return response


def packed_once(content: Content, *, accept_encoding: str) -> Response:
    """Return a body that nobody keeps, packed where the client takes that."""
    headers = {"Vary": "Accept-Encoding"}
    if content.packed is None or "gzip" not in accept_encoding:
        return Response(content.plain, media_type=content.media_type, headers=headers)
    return Response(content.packed, media_type=content.media_type, headers=headers | {"Content-Encoding": "gzip"})
