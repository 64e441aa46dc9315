"""Questions to the workers on behalf of a request: its caller's turn, the checks of the image, the wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from service.access.caller import Caller
from service.access.turns import turn_of
from service.deps import Services
from service.http.errors import Unavailable
from service.models.service import find_model
from service.uploads.fetch import fetch_image
from service.uploads.images import PostedImage
from service.uploads.limits import UploadLimits
from worker.broker.classify_queries import Classified, ClassifyQuery

from .service import open_answer, put, wait_for_answer, withdraw

QUERIES_EACH = 8
"""Of a caller that wait for the workers at a time: they answer all callers' in one line, some 50 ms each."""


@asynccontextmanager
async def in_turn(request: Request, caller: Caller) -> AsyncIterator[None]:
    """Hold one of the caller's queries; raises `Unavailable` where those before it take too long."""
    services = Services.of(request.app)
    async with AsyncExitStack() as held:
        try:
            async with turn_of(request).resting(), asyncio.timeout(services.settings.classify_s):
                await held.enter_async_context(services.queries.hold(caller.who))
        except TimeoutError as error:
            raise Unavailable(
                f"{QUERIES_EACH} of your images wait to be classified already. Try again soon."
            ) from error
        yield


async def send(
    request: Request, caller: Caller, query: ClassifyQuery, given: PostedImage | str, limits: UploadLimits
) -> None:
    """Check a query and its image, fetched where it is given by its address, and put them to the workers."""
    services = Services.of(request.app)
    await run_in_threadpool(find_model, services.redis, query.model)
    async with turn_of(request).resting():
        image = await fetch_image(given, limits, services.outbound) if isinstance(given, str) else given
        checked = await services.decoders.check(image.data, who=caller.who, white_level=query.white_level)
    await run_in_threadpool(put, services.redis, query, checked.data, wait_s=services.settings.classify_s)


async def receive(request: Request, query: ClassifyQuery) -> Classified:
    """Wait for the answer to a query.

    Raises:
        Unavailable: no worker has answered in time.
        WorkerProblem: a worker has reported why it can't.
        ClientDisconnect: nobody waits any more.
    """
    services = Services.of(request.app)
    answer = None
    try:
        async with turn_of(request).resting():
            answer = await wait_for_answer(
                services.watchers, query, wait_s=services.settings.classify_s, go_on=partial(_is_wanted, request)
            )
    finally:
        if answer is None:
            await run_in_threadpool(withdraw, services.redis, query)
    if answer is None and await request.is_disconnected():
        raise ClientDisconnect
    return open_answer(answer)


async def _is_wanted(request: Request) -> bool:
    return not Services.of(request.app).stopping.is_set() and not await request.is_disconnected()
