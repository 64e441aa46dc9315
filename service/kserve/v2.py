"""`/v2`: the Open Inference Protocol (KServe's v2), its health checks apart."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from ep_core.version import __version__
from service.access.authentication import CallerDep
from service.access.downloads import download
from service.access.shares import Take
from service.deps import LinksDep, RedisDep, SettingsDep
from service.http.errors import NotFound, Unavailable
from service.http.media_types import BYTES as OCTETS
from service.jobs.deps import JobsDep
from service.jobs.idempotency import IdempotencyKey
from service.jobs.prefer import WaitDep
from service.models.names import NAME_OF_TENSORS, ModelName
from service.models.service import model_at
from service.uploads.limits import UploadLimits
from worker.broker.liveness import live_workers

from .errors import OF_JOBS, error_responses
from .examples import BINARY_RESPONSE, INFER_BODY
from .inference import IMAGE, Wanted, make_response, read_infer
from .outputs import described
from .reader import read_object
from .schemas import InferResponse, ModelMetadata, ModelReady, ServerMetadata, TensorMetadata
from .service import Asked, post, wait_for_all
from .tensors import BYTES, JSON_LENGTH

router = APIRouter(prefix="/v2", tags=["kserve"])


@router.get("", summary="The server (KServe v2)", responses=error_responses())
async def get_server() -> ServerMetadata:
    """Return the server's name and version, and the extensions of the protocol that it has."""
    return ServerMetadata(version=__version__)


@router.get(
    f"/models/{NAME_OF_TENSORS}/ready",
    summary="Is a model ready? (KServe v2)",
    responses=error_responses(NotFound, Unavailable),
)
def check_model_ready(name: ModelName, redis: RedisDep) -> ModelReady:
    """Answer 200 where a worker offers the model and lives, else 404 or 503."""
    model_at(redis, name)
    if not live_workers(redis):
        raise Unavailable("No worker is alive: jobs are taken, but wait until one is.")
    return ModelReady(name=name)


@router.get(
    f"/models/{NAME_OF_TENSORS}",
    summary="The tensors of a model (KServe v2)",
    responses=error_responses(NotFound, Unavailable),
)
def get_model_tensors(name: ModelName, redis: RedisDep) -> ModelMetadata:
    """Return the input and the outputs of a model. The image may also be numbers, of UINT8 or FP32."""
    card = model_at(redis, name)
    image = TensorMetadata(name=IMAGE, datatype=BYTES, shape=[1])
    return ModelMetadata(name=name, inputs=[image], outputs=described(card))


@router.post(
    f"/models/{NAME_OF_TENSORS}/infer",
    summary="Explain an image as tensors (KServe v2)",
    response_model=InferResponse,
    responses={200: {"content": BINARY_RESPONSE}, **error_responses(*OF_JOBS)},
    openapi_extra={"requestBody": INFER_BODY},
)
async def infer(
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
    """Explain an image and wait for its masks: a job of the task `extremal`, as `POST /v1/jobs` makes one.

    The only input is `image`: BYTES of shape [1], the file in base64, or numbers of shape H x W x 3 or H x W (also as a
    batch of one), whole ones of 0 to 255 (UINT8) or floating-point ones of 0 to 1 (FP32). The request's `parameters`
    are the fields of `params` and the options of a job; a list or an object may be its JSON text.

    Outputs: `masks` (A x height x width of the network's frame, 255 is kept), `areas`, `preserve`, `delete`,
    `optimal_area` (empty where none suffices), `result` (JSON), and by name only `masks_on_image`. Data may come and go
    as bytes behind the JSON (`binary_data_size`, `binary_data`, `Inference-Header-Content-Length`).

    Where the job isn't finished within the operator's longest wait (60 s by default; `Prefer: wait=N` shortens it), the
    answer is a 504 that names the job. It goes on.
    """
    await run_in_threadpool(model_at, redis, name)

    async def read(limits: UploadLimits, take: Take) -> Sequence[Asked[Wanted]]:
        return [await read_object(request, caller, limits, take, partial(read_infer, model=name, limits=limits))]

    posted = await post(request, caller, links, read, key=idempotency_key)
    seconds = settings.max_wait_s if wait_s is None else wait_s
    (ended,) = await wait_for_all(request, posted, jobs, links, seconds=seconds)
    async with download(request, caller):
        body, json_length = await run_in_threadpool(make_response, ended.job, ended.wanted, jobs, links)
        headers = {"Idempotent-Replayed": "true"} if ended.is_replayed else {}
        if json_length is None:
            return Response(body, media_type="application/json", headers=headers)
        return Response(body, media_type=OCTETS, headers=headers | {JSON_LENGTH: str(json_length)})
