"""Answers that may have megabytes: in pieces, and of a caller a few at a time, however slowly they are read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from service.access.authentication import CallerDep
from service.access.shares import Shares
from service.access.turns import turn_of
from service.deps import Services

AT_ONCE, EACH = 16, 8
"""Answers that are in memory at a time, and those of one caller."""
PIECE_BYTES = 128 * 1024


class InPieces(Response):
    """An answer that is sent piece by piece: what a client doesn't read stays out of its connection's buffer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; each piece when the one before has gone."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body = memoryview(self.body)
        for start in range(0, max(1, len(body)), PIECE_BYTES):
            end = start + PIECE_BYTES
            piece = {"body": bytes(body[start:end]), "more_body": end < len(body)}
            await send({"type": "http.response.body", **piece})


def new_downloads() -> Shares:
    """Return what `one_download` gives shares of: the application's, as `Services.downloads`."""
    return Shares(AT_ONCE, most_each=EACH)


async def one_download(request: Request, caller: CallerDep) -> AsyncIterator[None]:
    """Hold one of the caller's answers until it is sent; a dependency of what answers with files."""
    async with AsyncExitStack() as held:
        async with turn_of(request).resting():
            await held.enter_async_context(Services.of(request.app).downloads.hold(caller.who))
        yield
