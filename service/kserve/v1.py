"""`/v1/models/{name}:explain` and `:predict`: KServe's v1 protocol."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from service.access.authentication import CallerDep
from service.access.downloads import download
from service.access.shares import Take
from service.classify.asking import in_turn, receive, send
from service.deps import LinksDep, RedisDep, Services, SettingsDep
from service.jobs.deps import JobsDep
from service.jobs.idempotency import IdempotencyKey
from service.jobs.prefer import WaitDep
from service.models.names import NAME, ModelName
from service.models.service import model_at
from service.uploads.limits import UploadLimits
from service.uploads.shares import open_shares

from .errors import OF_JOBS, OF_UPLOADS, error_responses
from .examples import EXPLAIN_BODY, PREDICT_BODY, PREDICTIONS
from .explanations import make_explanations
from .instances import Files, read_explain, read_predict
from .reader import read_object, within
from .schemas import Explanations, Predictions
from .service import Asked, limits_of, post, wait_for_all

router = APIRouter(prefix="/v1/models", tags=["kserve"])


@router.post(
    f"/{NAME}:explain",
    summary="Explain instances (KServe v1)",
    response_model=Explanations,
    responses=error_responses(*OF_JOBS),
    openapi_extra={"requestBody": EXPLAIN_BODY},
)
async def explain_instances(
    name: ModelName,
    request: Request,
    caller: CallerDep,
    jobs: JobsDep,
    links: LinksDep,
    redis: RedisDep,
    settings: SettingsDep,
    wait_s: WaitDep,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Explain images and wait for the results: each instance is a job as `POST /v1/jobs` makes one.

    An instance has an `image` and, beside it, the fields of `params` and the options of a job. An image is a file,
    `{"b64": "..."}`, or H x W x 3 or H x W numbers as nested lists: whole numbers of 0 to 255, or fractions of 0 to 1.
    An instance may also be the image alone. `files` lists what else of the job's files is returned (keys of its
    `links`), by default `["masks"]`.

    Where a job isn't finished within the operator's longest wait (60 s by default; `Prefer: wait=N` shortens it), the
    answer is a 504 that names the jobs. They go on.
    """
    await run_in_threadpool(model_at, redis, name)

    async def read_all(limits: UploadLimits, take: Take) -> Sequence[Asked[Files]]:
        read = partial(read_explain, model=name, limits=limits, most=settings.max_batch_images)
        return await read_object(request, caller, limits, take, read)

    posted = await post(request, caller, links, read_all, key=idempotency_key)
    seconds = settings.max_wait_s if wait_s is None else wait_s
    ended = await wait_for_all(request, posted, jobs, links, seconds=seconds)
    headers = {"Idempotent-Replayed": "true"} if all(one.is_replayed for one in posted) else None
    async with download(request, caller):
        content = await run_in_threadpool(make_explanations, ended, jobs, links)
        return Response(content, media_type="application/json", headers=headers)


@router.post(
    f"/{NAME}:predict",
    summary="Classify instances (KServe v1)",
    responses={200: {"content": {"application/json": {"example": PREDICTIONS}}}, **error_responses(*OF_UPLOADS)},
    openapi_extra={"requestBody": PREDICT_BODY},
)
async def predict_instances(
    name: ModelName, request: Request, caller: CallerDep, redis: RedisDep, settings: SettingsDep
) -> Predictions:
    """Return what the model sees in each image, as `POST /v1/classify` does: what `target` of an explanation may be.

    An instance has an `image` as for `:explain`, and beside it `top`, `fit` and `white_level`.
    """
    await run_in_threadpool(model_at, redis, name)
    limits = limits_of(settings, caller)
    predictions = []
    async with in_turn(request, caller), open_shares(Services.of(request.app).uploads, request, caller, limits) as take:
        read = partial(read_predict, model=name, limits=limits, most=settings.max_batch_images)
        asked = await read_object(request, caller, limits, take, read)
        for place, query, given in asked:
            with within(place):
                await send(request, caller, query, given, limits)
            predictions.append(await receive(request, query))
    return Predictions(predictions=predictions)
