"""Intake of a post, of one job or of a batch: from the request's body to a checked upload."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from service.access.caller import Caller
from service.access.turns import turn_of
from service.deps import Services
from service.http.errors import (
    InvalidFields,
    JobTooLarge,
    KeyReused,
    QueueFull,
    TooManyAtOnce,
    Unavailable,
    UnsupportedType,
    UploadTooLarge,
)
from service.http.problems import problem_responses
from service.uploads.fetch import fetch_images
from service.uploads.limits import UploadLimits
from service.uploads.reader import read_upload
from service.uploads.shares import open_shares
from service.uploads.upload import Upload

from .checks import check_images, check_mask, check_options, check_params, check_target_picture, sort_out

T = TypeVar("T")
REFUSALS = problem_responses(
    KeyReused, UploadTooLarge, UnsupportedType, InvalidFields, QueueFull, TooManyAtOnce, JobTooLarge, Unavailable
)
"""The errors of `accept` and `submit`, as OpenAPI shows them."""


async def accept(
    request: Request, caller: Caller, submit: Callable[[Upload, Caller], tuple[T, bool]], *, is_batch: bool
) -> tuple[T, bool]:
    """Read a post, check all of it, and return the result of `submit`, which runs in a thread.

    Its memory is part of the caller's share, and released on return: a request that waits for a result holds none.

    Raises:
        What `read_upload`, `check_params`, `check_options`, `fetch_images`, `check_target_picture`,
        `check_images` or `sort_out`, and `check_mask` do.
    """
    services = Services.of(request.app)
    limits = UploadLimits.of(services.settings, caller, is_batch=is_batch)
    async with open_shares(services.uploads, request, caller, limits) as take:
        upload = await read_upload(request, limits, take)
        upload = await check_upload(request, caller, upload, limits, most_pixels=services.settings.max_total_pixels)
        return await run_in_threadpool(submit, upload, caller)


async def check_upload(
    request: Request, caller: Caller, upload: Upload, limits: UploadLimits, *, most_pixels: int
) -> Upload:
    """Check all of an upload that was read, and return it as it is to be stored.

    Args:
        request: that sent it.
        caller: who did.
        upload: as it was read.
        limits: of the request.
        most_pixels: of all its pictures together.

    Raises:
        What `accept` does, but for reading.
    """
    services = Services.of(request.app)
    await run_in_threadpool(check_params, services.redis, upload.params)
    upload = replace(upload, options=check_options(upload.options, caller, services.settings))
    decode = partial(
        services.decoders.check,
        who=caller.who,
        keep_metadata=upload.options.keep_metadata,
        white_level=upload.params.white_level,
        is_wanted=partial(_is_wanted, request),
    )
    check = sort_out if limits.is_batch else check_images
    async with turn_of(request).resting():
        upload = await fetch_images(upload, limits, services.outbound)
        level_unknown = partial(decode, white_level=None)
        picture, left = await check_target_picture(upload, level_unknown, most_pixels=most_pixels)
        images = await check(upload.images, decode, most_pixels=left)
        check_mask(upload.params, picture, images)
    return replace(upload, images=images, target_picture=picture)


async def _is_wanted(request: Request) -> bool:
    return not await request.is_disconnected()
