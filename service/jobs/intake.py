"""The way of a post, of one job or of a batch, from the request's body to an upload whose images are to be decoded."""

from __future__ import annotations

from dataclasses import replace

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from service.access.callers import Caller
from service.access.turns import turn_of
from service.uploads.fetch import fetch_images
from service.uploads.limits import UploadLimits
from service.uploads.reader import read_upload
from service.uploads.upload import Upload

from .checks import check_options, check_params


async def take_in(request: Request, caller: Caller, *, is_batch: bool) -> Upload:
    """Read a post and check all of it but its images; those given by an address are fetched last.

    Raises:
        What `read_upload`, `check_params`, `check_options` and `fetch_images` do.
    """
    state = request.app.state
    limits = UploadLimits.of(state.settings, caller, is_batch=is_batch)
    upload = await read_upload(request, limits)
    await run_in_threadpool(check_params, state.redis, upload.params)
    upload = replace(upload, options=check_options(upload.options, caller, state.settings))
    async with turn_of(request).resting():
        return await fetch_images(upload, limits, state.outbound)
