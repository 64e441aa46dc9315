"""`/v1/classify`: the top classes of an image, at once."""

from __future__ import annotations

from fastapi import APIRouter, Request

from service.access.authentication import CallerDep
from service.access.caller import Caller
from service.deps import Services
from service.http.errors import InvalidFields, TooManyAtOnce, Unavailable, UnsupportedType, UploadTooLarge
from service.http.problems import problem_responses
from service.uploads.limits import UploadLimits
from service.uploads.shares import open_shares
from worker.broker.classify_queries import Classified, ClassifyQuery

from .asking import in_turn, receive, send
from .examples import ANSWER, REQUEST_BODY
from .reader import read_query

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
async def classify(request: Request, caller: CallerDep) -> Classified:
    """Post an image; the answer is what a model sees in it, the best class first: what `params.target` may be.

    Send a multipart form (`image`, a file, and if you like `model`, `top` and `fit`) or a JSON object with the same
    fields, `image` in base64; or `image_url`, its address, where the operator allows it. Images are limited as those of
    jobs are. The workers answer beside their jobs, within moments; where none does, the answer is a 503. Nothing is
    kept.
    """
    async with in_turn(request, caller):
        return await receive(request, await _put(request, caller))


async def _put(request: Request, caller: Caller) -> ClassifyQuery:
    """Read, check and put a query, whose image may have to be fetched; it is let go on return."""
    services = Services.of(request.app)
    limits = UploadLimits.of_one(services.settings, caller)
    async with open_shares(services.uploads, request, caller, limits) as take:
        query, given = await read_query(request, limits, take)
        await send(request, caller, query, given, limits)
    return query
