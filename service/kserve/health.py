"""`/v2/health/live` and `/v2/health/ready`: the health checks of the Open Inference Protocol."""

from __future__ import annotations

from fastapi import APIRouter

from service.deps import RedisDep
from service.http.errors import Unavailable
from service.observe.health import check_readiness

from .errors import error_responses
from .schemas import ServerLive, ServerReady

router = APIRouter(prefix="/v2/health", tags=["operation"])


@router.get("/live", summary="Is the API alive? (KServe v2)")
async def check_server_live() -> ServerLive:
    """Answer at once, as `/healthz` does."""
    return ServerLive()


@router.get("/ready", summary="Are jobs taken and run? (KServe v2)", responses=error_responses(Unavailable))
def check_server_ready(redis: RedisDep) -> ServerReady:
    """Answer 200 where `/readyz` does, else 503."""
    check_readiness(redis)
    return ServerReady()
