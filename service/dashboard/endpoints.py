"""The dashboard: one page at `/`, and its files under `/static`."""

from __future__ import annotations

from functools import lru_cache
from html import escape

from fastapi import APIRouter, Request, Response

from service.http.caching import IfNoneMatch
from service.http.errors import NotFound
from service.http.packing import AcceptEncoding, Content, pack, packed_response
from service.http.prefix import prefix_of

from .files import INDEX, TASKS, read_files, task_module

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
def _page_below(prefix: str) -> Content:
    """Return the page with the base of its addresses: a proxy may show it at an address without a slash at its end."""
    base = f'<head>\n<base href="{escape(prefix)}/">'.encode()
    return pack(_FILES[INDEX].plain.replace(b"<head>", base, 1), _FILES[INDEX].media_type)


def _respond(file: Content, if_none_match: str | None, accept_encoding: str) -> Response:
    return packed_response(file, if_none_match=if_none_match, accept_encoding=accept_encoding, is_public=True)
