"""The dashboard: one page at `/`, and its files under `/static`."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Response

from service.caching import IfNoneMatch, checked_response
from service.errors import NotFound

from .files import INDEX, StaticFile, read_files

AcceptEncoding = Annotated[str, Header()]

router = APIRouter(include_in_schema=False)

# Nothing from elsewhere, no script or style inside the page; pictures may be made by the page itself.
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FILES = read_files()


@router.get("/")
async def show_page(if_none_match: IfNoneMatch = None, accept_encoding: AcceptEncoding = "") -> Response:
    """Return the page."""
    response = _respond(_FILES[INDEX], if_none_match, accept_encoding)
    response.headers["Content-Security-Policy"] = CSP
    return response


@router.get("/static/{name:path}")
async def get_file(name: str, if_none_match: IfNoneMatch = None, accept_encoding: AcceptEncoding = "") -> Response:
    """Return one of the page's files; browsers ask each time whether it is still the same."""
    file = _FILES.get(name)
    if file is None:
        raise NotFound("The page has no such file.")
    return _respond(file, if_none_match, accept_encoding)


def _respond(file: StaticFile, if_none_match: str | None, accept_encoding: str) -> Response:
    packed = file.packed if "gzip" in accept_encoding else None
    content = file.content if packed is None else packed
    response = checked_response(content, file.media_type, if_none_match=if_none_match, is_public=True)
    response.headers["Vary"] = "Accept-Encoding"
    if packed is not None and response.status_code == HTTPStatus.OK:
        response.headers["Content-Encoding"] = "gzip"
    return response
