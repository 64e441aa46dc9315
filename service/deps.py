"""Services that live as long as the application, and their `Annotated` aliases for endpoints.

The dependencies are `async`: others would be called in a thread each.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, FastAPI, Request
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from service.access.keys import KeyRing
from service.access.rates import RateLimits
from service.access.shares import Shares
from service.batches.service import BatchService
from service.decoding.decoders import Decoders
from service.http.links import Links
from service.http.prefix import prefix_of
from service.jobs.reader import EventReader
from service.jobs.service import JobService
from service.jobs.submission import Submissions
from service.observe.http_metrics import HttpMetrics
from service.outbound.requests import Outbound
from service.removal.service import Removals
from service.uploads.shares import UploadShares

from .settings import ApiSettings


@dataclass(frozen=True)
class Services:
    """Objects of one application, and what it talks to; `app.create_app` makes them."""

    settings: ApiSettings
    keys: KeyRing
    rates: RateLimits
    stopping: threading.Event
    """Set when the application ends: held requests are answered."""

    redis: Redis
    polls: AsyncRedis
    """For short queries without a thread."""
    watchers: AsyncRedis
    """For queries that wait for their answer."""
    events: EventReader

    jobs: JobService
    """Of all callers."""
    submissions: Submissions
    batches: BatchService
    removals: Removals
    outbound: Outbound
    http_metrics: HttpMetrics

    decoders: Decoders
    thumbnails: Decoders
    """Apart: a list of pictures must not hold up those who post."""
    thumbnail_shares: Shares
    downloads: Shares
    queries: Shares
    uploads: UploadShares
    parsing: Shares
    """Of numbers as JSON: a megabyte of them holds up all other threads for some 10 ms."""

    @staticmethod
    def of(app: FastAPI) -> Services:
        """Return those of an application; of a request, ``request.app`` is its application."""
        return cast("Services", app.state.services)


async def _settings(request: Request) -> ApiSettings:
    return Services.of(request.app).settings


async def _redis(request: Request) -> Redis:
    return Services.of(request.app).redis


async def _submissions(request: Request) -> Submissions:
    return Services.of(request.app).submissions


async def _http_metrics(request: Request) -> HttpMetrics:
    return Services.of(request.app).http_metrics


async def _links(request: Request) -> Links:
    return Links(prefix_of(request.scope))


SettingsDep = Annotated[ApiSettings, Depends(_settings)]
RedisDep = Annotated[Redis, Depends(_redis)]
HttpMetricsDep = Annotated[HttpMetrics, Depends(_http_metrics)]
SubmissionsDep = Annotated[Submissions, Depends(_submissions)]
LinksDep = Annotated[Links, Depends(_links)]
