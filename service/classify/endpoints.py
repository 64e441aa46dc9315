"""`/v1/classify`: the top classes of an image, at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from service.access.authentication import CallerDep
from service.access.caller import Caller
from service.access.turns import turn_of
from service.deps import Services, SettingsDep
from service.http.errors import InvalidFields, TooManyAtOnce, Unavailable, UnsupportedType, UploadTooLarge
from service.http.problems import problem_responses
from service.models.service import find_model
from service.settings import ApiSettings
from service.uploads.fetch import fetch_image
from service.uploads.limits import UploadLimits
from service.uploads.shares import open_shares
from worker.broker.classify_queries import Classified, ClassifyQuery

from .examples import ANSWER, REQUEST_BODY
from .reader import read_query
from .service import open_answer, put, wait_for_answer, withdraw

QUERIES_EACH = 8
"""Of a caller that wait for the workers at a time: they answer all callers' in one line, some 50 ms each."""

router = APIRouter(prefix="/v1/classify", tags=["models"])


@router.post(
    "",
    summary="Classify an image",
    responses={
        200: {"content": {"application/json": {"example": ANSWER}}},
        **problem_responses(UploadTooLarge, UnsupportedType, InvalidFields, TooManyAtOnce, Unavailable),
    },
    openapi_extra={"requestBody": REQUEST_BODY},
)
async def classify(request: Request, caller: CallerDep, settings: SettingsDep) -> Classified:
    """Post an image; the answer is what a model sees in it, the best class first: what `params.target` may be.

    Send a multipart form (`image`, a file, and if you like `model`, `top` and `fit`) or a JSON object with the same
    fields, `image` in base64; or `image_url`, its address, where the operator allows it. Images are limited as those of
    jobs are. The workers answer beside their jobs, within moments; where none does, the answer is a 503. Nothing is
    kept.
    """
    async with _in_turn(request, caller, settings.classify_s):
        return await _answer(request, caller, settings)


@asynccontextmanager
async def _in_turn(request: Request, caller: Caller, wait_s: float) -> AsyncIterator[None]:
    """Hold one of the caller's queries; raises `Unavailable` where those before it take too long."""
    async with AsyncExitStack() as held:
        try:
            async with turn_of(request).resting(), asyncio.timeout(wait_s):
                await held.enter_async_context(Services.of(request.app).queries.hold(caller.who))
        except TimeoutError as error:
            raise Unavailable(
                f"{QUERIES_EACH} of your images wait to be classified already. Try again soon."
            ) from error
        yield


async def _answer(request: Request, caller: Caller, settings: ApiSettings) -> Classified:
    query = await _put(request, caller, settings)
    answer = None
    try:
        async with turn_of(request).resting():
            answer = await wait_for_answer(
                Services.of(request.app).watchers, query, wait_s=settings.classify_s, go_on=partial(_is_wanted, request)
            )
    finally:
        if answer is None:
            await run_in_threadpool(withdraw, Services.of(request.app).redis, query)
    if answer is None and await request.is_disconnected():
        raise ClientDisconnect
    return open_answer(answer)


async def _put(request: Request, caller: Caller, settings: ApiSettings) -> ClassifyQuery:
    """Read, check and put a query, whose image may have to be fetched; it is let go on return."""
    services = Services.of(request.app)
    limits = UploadLimits.of_one(settings, caller)
    async with open_shares(services.uploads, request, caller, limits) as take:
        query, given = await read_query(request, limits, take)
        await run_in_threadpool(find_model, services.redis, query.model)
        async with turn_of(request).resting():
            image = await fetch_image(given, limits, services.outbound) if isinstance(given, str) else given
            checked = await services.decoders.check(image.data, who=caller.who, white_level=query.white_level)
        await run_in_threadpool(put, services.redis, query, checked.data, wait_s=settings.classify_s)
    return query


async def _is_wanted(request: Request) -> bool:
    return not Services.of(request.app).stopping.is_set() and not await request.is_disconnected()
