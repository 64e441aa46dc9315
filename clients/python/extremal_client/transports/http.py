"""What both transports share: requests as httpx has them, and its answers and errors as flows have them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from extremal_client.core.messages import Answer, Request
from extremal_client.core.steps import Lost

TIMEOUT = httpx.Timeout(60.0, connect=10.0)
QUIET_S = 45.0
"""Seconds without a byte after which a stream of events counts as lost: one without news has a comment each 15 s."""


def encoded(
    client: httpx.Client | httpx.AsyncClient, request: Request, *, quiet_s: float | None = None
) -> httpx.Request:
    """Return a request of httpx, with a time limit between bytes where the answer is a stream."""
    files = [(part.name, (part.file_name, part.content, part.media_type)) for part in request.form]
    timeout = TIMEOUT if quiet_s is None else httpx.Timeout(quiet_s, connect=10.0)
    # One without a file name would be a form of another kind, were it `data`.
    return client.build_request(
        request.method, request.url, headers=request.headers, files=files or None, timeout=timeout
    )


def decoded(response: httpx.Response, content: bytes = b"") -> Answer:
    """Return an answer of httpx."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, headers, content, str(response.url))


@contextmanager
def losses() -> Iterator[None]:
    """Turn errors of the connection into `Lost`."""
    try:
        yield
    except httpx.TransportError as error:
        raise Lost(str(error) or type(error).__name__) from error
