"""Cacheable responses: with an entity tag, and 304 for clients that have them already."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Header
from fastapi.responses import Response

from .pieces import InPieces

IfNoneMatch = Annotated[
    str | None, Header(description="Entity tags of what is kept already; one that still fits answers 304.")
]
NOT_MODIFIED = {"description": "The client has it already."}
"""OpenAPI's description of a 304."""


def immutable_response(
    content: bytes, media_type: str, *, if_none_match: str | None, max_age_s: int, filename: str | None = None
) -> Response:
    """Return `content`, which never changes, or 304 where the client's tag matches.

    Args:
        content: the body.
        media_type: its type.
        if_none_match: the request's header.
        max_age_s: seconds that clients may keep it without asking again.
        filename: makes browsers save it under that name.
    """
    headers = {} if filename is None else {"Content-Disposition": f'attachment; filename="{filename}"'}
    cache = _immutable(max_age_s)
    return _respond(content, media_type, if_none_match, cache, headers)


async def derived_response(
    tag: str, make: Callable[[], Awaitable[bytes]], media_type: str, *, if_none_match: str | None, max_age_s: int
) -> Response:
    """Return the same for what is made from something that never changes: only where the client's tag doesn't match.

    Args:
        tag: `entity_tag` of what it is made from, and of how.
        make: returns the body; whatever it raises is passed on.
        media_type: the body's type.
        if_none_match: the request's header.
        max_age_s: seconds that clients may keep it without asking again.
    """
    kept = _kept(tag, _immutable(max_age_s))
    return _not_modified(kept, if_none_match) or Response(await make(), media_type=media_type, headers=kept)


def checked_response(
    content: bytes, media_type: str, *, if_none_match: str | None, is_public: bool = False
) -> Response:
    """Return `content`, which may change: clients cache it, and revalidate it each time.

    Args:
        content: the body.
        media_type: its type.
        if_none_match: the request's header.
        is_public: whether it is the same for everybody, with an API key or without, so that a proxy may keep it too.
    """
    cache = "no-cache" if is_public else "private, no-cache"
    return _respond(content, media_type, if_none_match, cache, {})


def entity_tag(content: bytes, *, variant: str = "") -> str:
    """Return the tag of `content`, or of what is made from it in the way that `variant` names."""
    digest = hashlib.sha256(content).hexdigest()[:32]
    return f'"{digest}-{variant}"' if variant else f'"{digest}"'


def _respond(
    content: bytes, media_type: str, if_none_match: str | None, cache_control: str, headers: dict[str, str]
) -> Response:
    kept = _kept(entity_tag(content), cache_control)
    return _not_modified(kept, if_none_match) or InPieces(content, media_type=media_type, headers=kept | headers)


def _kept(tag: str, cache_control: str) -> dict[str, str]:
    return {"ETag": tag, "Cache-Control": cache_control}


def _not_modified(kept: dict[str, str], if_none_match: str | None) -> Response | None:
    return Response(status_code=304, headers=kept) if _matches(if_none_match, kept["ETag"]) else None


def _immutable(max_age_s: int) -> str:
    return f"private, max-age={max_age_s}, immutable"


def _matches(if_none_match: str | None, tag: str) -> bool:
    if if_none_match is None:
        return False
    tags = [candidate.strip().removeprefix("W/") for candidate in if_none_match.split(",")]
    return "*" in tags or tag in tags
