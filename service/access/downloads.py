"""Large responses: a few at a time per caller, however slowly they are read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import Request

from service.access.authentication import CallerDep
from service.access.caller import Caller
from service.access.shares import Shares
from service.access.turns import turn_of
from service.deps import Services

AT_ONCE, EACH = 16, 8
"""Answers that are in memory at a time, and those of one caller."""


def new_downloads() -> Shares:
    """Return what `one_download` gives shares of: the application's, as `Services.downloads`."""
    return Shares(AT_ONCE, most_each=EACH)


async def one_download(request: Request, caller: CallerDep) -> AsyncIterator[None]:
    """Hold one of the caller's answers until it is sent; a dependency of what answers with files."""
    async with download(request, caller):
        yield


@asynccontextmanager
async def download(request: Request, caller: Caller) -> AsyncIterator[None]:
    """Hold one of the caller's answers inside the ``async with`` block, once it is the caller's turn."""
    async with AsyncExitStack() as held:
        async with turn_of(request).resting():
            await held.enter_async_context(Services.of(request.app).downloads.hold(caller.who))
        yield
