"""Answers that never change: an entity tag, leave to keep them, and 304 for whoever has them already."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import Header
from fastapi.responses import Response

IfNoneMatch = Annotated[
    str | None, Header(description="Entity tags of what is kept already; one that still fits answers 304.")
]


def immutable_response(
    content: bytes, media_type: str, *, if_none_match: str | None, max_age_s: int, filename: str | None = None
) -> Response:
    """Return `content`, or 304 where the client's tag matches; `filename` makes browsers save it under that name."""
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": f"private, max-age={max_age_s}, immutable"}
    if _matches(if_none_match, tag):
        return Response(status_code=304, headers=headers)
    if filename is not None:
        headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return Response(content, media_type=media_type, headers=headers)


def _matches(if_none_match: str | None, tag: str) -> bool:
    if if_none_match is None:
        return False
    tags = [candidate.strip().removeprefix("W/") for candidate in if_none_match.split(",")]
    return "*" in tags or tag in tags
