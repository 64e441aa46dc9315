"""Authentication of callers by API key, and their rate limit, before the request's body is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from service.http.errors import RateLimited, Unauthorized
from service.settings import ApiSettings

from .keys import ApiKey, KeyRing
from .rates import RateLimits

# OpenAPI's description of the two headers; `find_caller` reads them itself, as it is called with every request.
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


@dataclass(frozen=True)
class Caller:
    """Caller of a request and its rights: a key's owner, or anybody where no keys are configured."""

    owner: str | None
    who: str
    """The name under which requests are counted, and take turns (`client_of`)."""
    rate: str | None
    max_queued: int | None
    max_upload_bytes: int
    webhook_secret: str | None

    @classmethod
    def of(cls, key: ApiKey | None, settings: ApiSettings, *, who: str = "") -> Caller:
        """Return the caller with a key, or without."""
        return cls(
            owner=key.name if key else None,
            who=who,
            rate=(key and key.rate) or settings.rate_limit,
            max_queued=settings.max_queued if key is None or key.max_queued is None else key.max_queued,
            max_upload_bytes=(key and key.max_upload_bytes) or settings.max_upload_bytes,
            webhook_secret=(key and key.webhook_secret) or settings.webhook_secret,
        )


async def find_caller(request: Request) -> Caller:
    """Return the caller of a request.

    Raises:
        Unauthorized: there are keys, and the request has none of them.
        RateLimited: the caller's rate limit is used up.
    """
    keys = cast("KeyRing", request.app.state.keys)
    settings = cast("ApiSettings", request.app.state.settings)
    sent, key = _sent_key(request), _key_of(request)
    if keys and key is None:
        if sent:
            await _count(request, f"wrong-key:{_address(request)}", WRONG_KEYS)
        raise Unauthorized(UNKNOWN if sent else Unauthorized.example, headers={"WWW-Authenticate": "Bearer"})
    caller = Caller.of(key, settings, who=client_of(request))
    if caller.rate is not None:
        await _count(request, caller.who, caller.rate)
    return caller


def client_of(request: Request) -> str:
    """Return the name under which a client's requests are counted: its key's owner, else its address."""
    key = _key_of(request)
    return f"key:{key.name}" if key else f"address:{_address(request)}"


def _key_of(request: Request) -> ApiKey | None:
    sent = _sent_key(request)
    return cast("KeyRing", request.app.state.keys).find(sent) if sent else None


def _sent_key(request: Request) -> str | None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key")


WRONG_KEYS = "60/minute"
"""Most unknown keys per address: a key can't be guessed, but attempts must not keep the service busy."""
UNKNOWN = "This API key is none of this service's. Check that it is whole, or ask the operator for another one."


def webhook_secret_of(owner: str | None, *, keys: KeyRing, settings: ApiSettings) -> str | None:
    """Return the secret that signs the webhooks of an owner's jobs; None where there is none (any more)."""
    key = None if owner is None else keys.of(owner)
    return Caller.of(key, settings).webhook_secret if owner is None or key is not None else None


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


async def _count(request: Request, who: str, rate: str) -> None:
    """Count a request; raises `RateLimited` where it is one too many."""
    limits = cast("RateLimits", request.app.state.rates)
    allowance = await run_in_threadpool(limits.hit, rate, who)
    request.state.headers = allowance.headers  # the middleware sends them, whatever the answer will be
    if not allowance.granted:
        raise RateLimited(
            f"More requests than {rate} are not taken: try again in {allowance.reset_s} s.",
            headers={"Retry-After": str(allowance.reset_s)},
        )


CallerDep = Annotated[Caller, Depends(find_caller)]
