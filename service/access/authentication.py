"""Finding the caller: by the API key, held to the rate limit, before anything of the request's body is read."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from service.deps import Services
from service.http.errors import RateLimited, Unauthorized

from .caller import Caller, address_of, client_of, key_of, sent_key

WRONG_KEYS = "60/minute"
"""Most keys that are none, per address: nobody guesses one, but whoever tries shall not keep the service busy."""
UNKNOWN = "This API key is none of this service's. Check that it is whole, or ask the operator for another one."
# What OpenAPI says of the two headers; `find_caller` reads them itself, as it is called with every request.
SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key, where the operator has set some up.",
    },
    "header": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "The same, for clients that can't send the other.",
    },
}


async def find_caller(request: Request) -> Caller:
    """Return who calls.

    Raises:
        Unauthorized: there are keys, and the request has none of them.
        RateLimited: the caller's rate limit is used up.
    """
    services = Services.of(request.app)
    key = key_of(request, services.keys)
    if services.keys and key is None:
        sent = sent_key(request)
        if sent:
            await _count(request, f"wrong-key:{address_of(request)}", WRONG_KEYS)
        raise Unauthorized(UNKNOWN if sent else Unauthorized.example, headers={"WWW-Authenticate": "Bearer"})
    caller = Caller.of(key, services.settings, who=client_of(request, services.keys))
    if caller.rate is not None:
        await _count(request, caller.who, caller.rate)
    return caller


async def _count(request: Request, who: str, rate: str) -> None:
    """Count a request; raises `RateLimited` where it is one too many."""
    allowance = await run_in_threadpool(Services.of(request.app).rates.hit, rate, who)
    request.state.headers = allowance.headers  # the middleware sends them, whatever the answer will be
    if not allowance.granted:
        raise RateLimited(
            f"More requests than {rate} are not taken: try again in {allowance.reset_s} s.",
            headers={"Retry-After": str(allowance.reset_s)},
        )


CallerDep = Annotated[Caller, Depends(find_caller)]
