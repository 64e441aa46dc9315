"""The dashboard: one page at `/`, and its files under `/static`."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from service.http.caching import IfNoneMatch, checked_response
from service.http.errors import NotFound
from service.http.prefix import prefix_of

from .files import INDEX, TASKS, StaticFile, pack, read_files, task_module

AcceptEncoding = Annotated[str, Header()]

router = APIRouter(include_in_schema=False)

# Nothing from elsewhere, no script or style inside the page; pictures may be made by the page itself.
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri {base}; form-action 'none'; frame-ancestors 'none'"
)
_FILES = read_files() | {TASKS: task_module()}


@router.get("/")
async def show_page(
    request: Request, if_none_match: IfNoneMatch = None, accept_encoding: AcceptEncoding = ""
) -> Response:
    """Return the page."""
    prefix = prefix_of(request.scope)
    response = _respond(_page_below(prefix) if prefix else _FILES[INDEX], if_none_match, accept_encoding)
    response.headers["Content-Security-Policy"] = CSP.format(base="'self'" if prefix else "'none'")
    return response


@router.get("/static/{name:path}")
async def get_file(name: str, if_none_match: IfNoneMatch = None, accept_encoding: AcceptEncoding = "") -> Response:
    """Return one of the page's files; browsers revalidate it each time."""
    file = _FILES.get(name)
    if file is None:
        raise NotFound("The page has no such file.")
    return _respond(file, if_none_match, accept_encoding)


@lru_cache(maxsize=16)
def _page_below(prefix: str) -> StaticFile:
    """Return the page with the base of its addresses: a proxy may show it at an address without a slash at its end."""
    base = f'<head>\n<base href="{escape(prefix)}/">'.encode()
    return pack(_FILES[INDEX].content.replace(b"<head>", base, 1), _FILES[INDEX].media_type)


def _respond(file: StaticFile, if_none_match: str | None, accept_encoding: str) -> Response:
    packed = file.packed if "gzip" in accept_encoding else None
    content = file.content if packed is None else packed
    response = checked_response(content, file.media_type, if_none_match=if_none_match, is_public=True)
    response.headers["Vary"] = "Accept-Encoding"
    if packed is not None and response.status_code == HTTPStatus.OK:
        response.headers["Content-Encoding"] = "gzip"
    return response
