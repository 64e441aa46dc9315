"""The API application. Importing this module connects to nothing and loads no torch."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import CapacityLimiter
from fastapi import FastAPI
from fastapi_standalone_docs import StandaloneDocs

from ep_core import __version__
from worker.janitor import run_janitor
from worker.queue import connect, connect_waiting

from . import health, home, metrics, middleware, openapi, problems
from .http_metrics import HttpMetrics
from .jobs import artifacts, events, maps
from .jobs import endpoints as jobs
from .jobs.service import JobService
from .models import endpoints as models
from .settings import ApiSettings

# One retry, for a connection that Redis closed meanwhile; together under 3 s, the most that a 503 may take.
REDIS_TIMEOUT_S = 1.2
REDIS_RETRIES = 1

DESCRIPTION = """
Post an image; get, for each area of a sweep, the mask that keeps the class score highest (or destroys it fastest)
using just that share of the image, the score curve over the areas, and the smallest area that suffices. The task
`channels` asks the same of the channels inside the network, `class_channels` of a class's; `compare` shows the masks
beside the maps of other methods.

The method is that of *Understanding Deep Networks via Extremal Perturbations and Smooth Masks* (Fong, Patrick,
Vedaldi, ICCV 2019). Errors are [problem details](https://www.rfc-editor.org/rfc/rfc9457), each with a stable `type`,
and say what to change.
"""
TAGS = [
    {"name": "jobs", "description": "Post an image, look how far it has come, remove it."},
    {"name": "results", "description": "What a finished job says. It never changes: answers carry an `ETag`."},
    {"name": "models", "description": "What can be explained here."},
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
        lifespan=_lifespan,
    )
    app.state.settings = settings
    app.state.redis = connect(settings.redis_url, retries=REDIS_RETRIES, timeout_s=REDIS_TIMEOUT_S)
    app.state.watchers = connect_waiting(settings.redis_url)
    app.state.jobs = JobService(app.state.redis, settings)
    app.state.decoders = CapacityLimiter(settings.decode_threads)
    app.state.http_metrics = HttpMetrics()
    app.state.stopping = threading.Event()
    problems.install(app)
    openapi.install(app)
    middleware.install(app)
    for feature in (jobs, events, artifacts, maps, models, health, metrics, home):
        app.include_router(feature.router)
    StandaloneDocs(app)  # /docs and /redoc with scripts of our own host, not of a CDN
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Run the janitor beside the requests: lost jobs are found even where the only worker is dead."""
    janitor = threading.Thread(
        target=run_janitor, args=(app.state.settings, app.state.stopping), name="janitor", daemon=True
    )
    janitor.start()
    yield
    app.state.stopping.set()
    app.state.redis.close()
    await app.state.watchers.aclose()
