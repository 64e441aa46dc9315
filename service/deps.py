"""Dependencies of endpoints, as `Annotated` aliases. The objects live as long as the application (`app.create_app`).

All are `async`: FastAPI calls others in a thread each.
"""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request
from redis import Redis

from service.access.callers import CallerDep
from service.http.links import Links
from service.http.prefix import prefix_of
from service.jobs.service import JobService
from service.jobs.submission import Submissions
from service.observe.http_metrics import HttpMetrics

from .settings import ApiSettings


async def _settings(request: Request) -> ApiSettings:
    return cast("ApiSettings", request.app.state.settings)


async def _redis(request: Request) -> Redis:
    return cast("Redis", request.app.state.redis)


async def _jobs(request: Request, caller: CallerDep) -> JobService:
    return cast("JobService", request.app.state.jobs).of(caller)


async def _submissions(request: Request) -> Submissions:
    return cast("Submissions", request.app.state.submissions)


async def _http_metrics(request: Request) -> HttpMetrics:
    return cast("HttpMetrics", request.app.state.http_metrics)


async def _links(request: Request) -> Links:
    return Links(prefix_of(request.scope))


SettingsDep = Annotated[ApiSettings, Depends(_settings)]
RedisDep = Annotated[Redis, Depends(_redis)]
HttpMetricsDep = Annotated[HttpMetrics, Depends(_http_metrics)]
JobsDep = Annotated[JobService, Depends(_jobs)]
"""The caller's jobs; requires an authenticated caller."""
SubmissionsDep = Annotated[Submissions, Depends(_submissions)]
LinksDep = Annotated[Links, Depends(_links)]
