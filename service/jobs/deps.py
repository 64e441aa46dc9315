"""The caller's jobs, as endpoints ask for them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from service.access.authentication import CallerDep
from service.deps import Services

from .service import JobService


async def _jobs(request: Request, caller: CallerDep) -> JobService:
    return Services.of(request.app).jobs.of(caller)


JobsDep = Annotated[JobService, Depends(_jobs)]
"""The caller's jobs: whoever asks for them has to be known."""
