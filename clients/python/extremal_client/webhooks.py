"""Webhooks: whether a message is the service's (https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .errors import WebhookInvalid

TOLERANCE_S = 300
_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


@dataclass(frozen=True)
class WebhookMessage:
    """A message about a job that has ended."""

    id: str
    """The same where a message comes twice."""
    type: Literal["job.succeeded", "job.failed"]
    job_id: str
    data: dict[str, Any]
    """``id``, ``status``, ``task``, ``created_at``, ``finished_at``, ``links``, and of a failed job ``error``."""


def verify_webhook(
    headers: Mapping[str, str], body: bytes | str, secret: str, *, now: float | None = None
) -> WebhookMessage:
    """Return a message that the service has signed.

    Args:
        headers: of the request that brought it; their case doesn't matter.
        body: its bytes, unchanged.
        secret: what the operator gave you: ``whsec_...``.
        now: seconds since 1970; by default the clock's.

    Raises:
        WebhookInvalid: it isn't the service's, or older or newer than five minutes.
        ValueError: the secret isn't one.
    """
    given = {name.lower(): value for name, value in headers.items()}
    missing = [name for name in _HEADERS if name not in given]
    if missing:
        raise WebhookInvalid(f"the message has no {', '.join(missing)}: it isn't one of a webhook")
    message_id, timestamp, signatures = (given[name] for name in _HEADERS)
    content = body.encode() if isinstance(body, str) else bytes(body)
    expected = hmac.digest(_key(secret), f"{message_id}.{timestamp}.".encode() + content, hashlib.sha256)
    if not any(hmac.compare_digest(expected, one) for one in _signatures(signatures)):
        raise WebhookInvalid("the signature isn't that of this secret and this body: verify the bytes as they came in")
    _check_age(timestamp, time.time() if now is None else now)
    message = json.loads(content)
    return WebhookMessage(message_id, message["type"], message["data"]["id"], message["data"])


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.strip().removeprefix("whsec_"), validate=True)
    except ValueError as error:  # of characters that are none of base64, too
        raise ValueError("the secret isn't base64: give what the operator gave you, whsec_...") from error


def _signatures(header: str) -> list[bytes]:
    """Return the signatures of the first version; several are there while a secret is replaced."""
    found = []
    for one in header.split():
        version, _, text = one.partition(",")
        try:
            found += [base64.b64decode(text, validate=True)] if version == "v1" else []
        except ValueError:
            continue
    return found


def _check_age(timestamp: str, now: float) -> None:
    if not timestamp.isascii() or not timestamp.isdigit() or abs(now - int(timestamp)) > TOLERANCE_S:
        raise WebhookInvalid(
            f"the message is of {timestamp!r}, and {TOLERANCE_S} s old at most are taken: check the clock"
        )
