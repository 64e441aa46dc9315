"""A caller, and what one may: a key's owner, or anybody where there are no keys."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from service.settings import ApiSettings

from .keys import ApiKey, KeyRing


@dataclass(frozen=True)
class Caller:
    """Sender of a request, with its limits: the owner of a key, or anybody where there are no keys."""

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


def client_of(request: Request, keys: KeyRing) -> str:
    """Return the name under which a client's requests are counted: its key's owner, else its address."""
    key = key_of(request, keys)
    return f"key:{key.name}" if key else f"address:{address_of(request)}"


def key_of(request: Request, keys: KeyRing) -> ApiKey | None:
    """Return the key that a request was sent with, if it is one of `keys`."""
    sent = sent_key(request)
    return keys.find(sent) if sent else None


def sent_key(request: Request) -> str | None:
    """Return the text that a request was sent with in place of a key, if any."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key")


def address_of(request: Request) -> str:
    """Return the address that a request comes from; "" where it has none."""
    return request.client.host if request.client else ""


def webhook_secret_of(owner: str | None, *, keys: KeyRing, settings: ApiSettings) -> str | None:
    """Return what signs the webhooks of an owner's jobs; None where there is nothing (any more)."""
    key = None if owner is None else keys.of(owner)
    return Caller.of(key, settings).webhook_secret if owner is None or key is not None else None
