"""The API application. Importing this module connects to nothing and loads no torch."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from anyio import to_thread
from fastapi import Depends, FastAPI
from fastapi_standalone_docs import StandaloneDocs

from ep_core.version import __version__
from service import openapi
from service.access import exposure, proxies, turns
from service.access.authentication import find_caller
from service.access.caller import webhook_secret_of
from service.access.downloads import new_downloads
from service.access.keys import load_keys
from service.access.rates import RateLimits
from service.access.shares import Shares
from service.batches import endpoints as batches
from service.batches.service import BatchService
from service.classify import endpoints as classify
from service.classify.asking import QUERIES_EACH
from service.dashboard import endpoints as dashboard
from service.decoding.decoders import Decoders
from service.http import head, middleware, problems
from service.http.errors import Forbidden, RateLimited, Unauthorized
from service.http.problems import problem_responses
from service.jobs import endpoints as jobs
from service.jobs import events, inputs, results, thumbnail
from service.jobs.reader import EventReader
from service.jobs.service import JobService
from service.jobs.submission import Submissions
from service.kserve import health as kserve_health
from service.kserve import v1 as kserve_v1
from service.kserve import v2 as kserve_v2
from service.methods import endpoints as methods
from service.models import endpoints as models
from service.observe import health, http_metrics, metrics, tracing
from service.observe.http_metrics import HttpMetrics
from service.outbound.requests import Outbound
from service.removal import endpoints as removal
from service.removal.service import Removals
from service.run.tidying import run_tidier
from service.tasks import endpoints as tasks
from service.uploads.shares import UploadShares
from service.webhooks.courier import run_courier
from worker.broker.classify_queries import MOST_WAITING
from worker.broker.queue import connect, connect_async, connect_waiting
from worker.janitor import run_janitor
from worker.observe.tracing import flush

from .deps import Services
from .settings import ApiSettings

# One retry, for a connection that Redis closed meanwhile; together under 3 s, the most that a 503 may take.
REDIS_TIMEOUT_S = 1.2
REDIS_RETRIES = 1

_FOR_ALL = problem_responses(Unauthorized, Forbidden, RateLimited)

DESCRIPTION = """
Post an image; get, for each area of a sweep, the mask that keeps the class score highest (or destroys it fastest)
using just that share of the image, the score curve over the areas, and the smallest area that suffices. The task
`channels` does the same for the channels inside the network, `class_channels` for those of a class; `compare` shows
the masks beside the maps of other methods.

The method is that of *Understanding Deep Networks via Extremal Perturbations and Smooth Masks* (Fong, Patrick,
Vedaldi, ICCV 2019). Errors are [problem details](https://www.rfc-editor.org/rfc/rfc9457), each with a stable `type`,
and say what to change.
"""
TAGS = [
    {"name": "jobs", "description": "Post an image, follow its job, remove it."},
    {"name": "batches", "description": "Post many images at once."},
    {"name": "results", "description": "What a finished job says. It never changes: answers carry an `ETag`."},
    {"name": "models", "description": "What can be explained here, and what can be asked."},
    {"name": "kserve", "description": "KServe's protocols: v1 (`:explain`), and v2, the Open Inference Protocol."},
    {"name": "operation", "description": "For load balancers and operators."},
]


def create_app(settings: ApiSettings | None = None) -> FastAPI:
    """Return the application; without `settings`, they are read from the environment."""
    settings = settings or ApiSettings()
    app = FastAPI(
        title="Extremal perturbations",
        summary="Which parts of an image does a classifier need to see?",
        description=DESCRIPTION,
        version=__version__,
        openapi_tags=TAGS,
        generate_unique_id_function=openapi.operation_id,
        redirect_slashes=False,  # they would lead to the Host that the client names
        lifespan=_lifespan,
    )
    services = app.state.services = _make_services(settings)
    problems.install(app)
    openapi.install(app)
    head.install(app)  # first: inside of all others
    turns.install(app, services.keys)
    exposure.install(app, settings, has_keys=bool(services.keys))
    http_metrics.install(app, services.http_metrics)
    middleware.install(app)
    proxies.install(app, settings)  # last: around all others
    for feature in (jobs, removal, batches, events, results, inputs, thumbnail, models, tasks, methods, classify):
        app.include_router(feature.router, dependencies=[Depends(find_caller)], responses=_FOR_ALL)
    for feature in (kserve_v1, kserve_v2):
        app.include_router(feature.router, dependencies=[Depends(find_caller)])
    for feature in (kserve_health, health, metrics, dashboard):
        app.include_router(feature.router)
    tracing.install(app)
    StandaloneDocs(app)  # /docs and /redoc with scripts of our own host, not of a CDN
    return app


def _make_services(settings: ApiSettings) -> Services:
    """Return what lives as long as the application.

    Raises:
        ValueError: the file of the API keys can't be used.
    """
    redis = connect(settings.redis_url, retries=REDIS_RETRIES, timeout_s=REDIS_TIMEOUT_S)
    polls = connect_async(settings.redis_url, retries=REDIS_RETRIES, timeout_s=REDIS_TIMEOUT_S)
    submissions = Submissions(redis, settings)
    decoders = partial(
        Decoders, max_pixels=settings.max_pixels, seconds=settings.decode_s, memory_bytes=settings.decode_mb * 1_000_000
    )
    return Services(
        settings=settings,
        keys=load_keys(settings.api_keys_file, settings.api_keys or ()),
        rates=RateLimits(redis),
        stopping=threading.Event(),
        redis=redis,
        polls=polls,
        watchers=connect_waiting(settings.redis_url),
        events=EventReader(connect_waiting(settings.redis_url), polls),
        jobs=JobService(redis, settings, polls=polls),
        submissions=submissions,
        batches=BatchService(redis, settings, submissions),
        removals=Removals(redis, settings),
        outbound=Outbound(allow_private=settings.allow_private_urls),
        http_metrics=HttpMetrics(),
        decoders=decoders(settings.decoders),
        thumbnails=decoders(1),
        thumbnail_shares=Shares(2, most_each=1),
        downloads=new_downloads(),
        queries=Shares(MOST_WAITING, most_each=QUERIES_EACH),
        uploads=UploadShares(settings.max_total_upload_bytes),
        parsing=Shares(1, most_each=1),
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Run the janitor and the courier beside the requests.

    So lost jobs are found even where the only worker is dead, and no worker waits for the receiver of a webhook.
    """
    services = Services.of(app)
    settings, stopping = services.settings, services.stopping
    secret_of = partial(webhook_secret_of, keys=services.keys, settings=settings)
    for name, work in {
        "janitor": partial(run_janitor, settings, stopping),
        "courier": partial(run_courier, settings, stopping, secret_of=secret_of),
        "tidier": partial(run_tidier, stopping),
    }.items():
        threading.Thread(target=work, name=name, daemon=True).start()
    services.decoders.start()
    yield
    stopping.set()
    services.redis.close()
    services.decoders.close()
    services.thumbnails.close()
    await services.events.close()
    await services.polls.aclose()
    await services.watchers.aclose()
    await to_thread.run_sync(flush)
