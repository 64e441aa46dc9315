"""Asking as the service does, one request on an event loop of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from service.outbound.requests import Outbound

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def post(url: str, *, timeout_s: float = 5.0, allow_private: bool = True, **options: Any) -> int:
    outbound = Outbound(allow_private=allow_private, **options)
    return run(outbound.post(url, content=b"{}", headers={"content-type": "application/json"}, timeout_s=timeout_s))


def fetch(url: str, *, max_bytes: int = 1000, timeout_s: float = 5.0, **options: Any) -> bytes:
    return run(Outbound(allow_private=True, **options).fetch(url, max_bytes=max_bytes, timeout_s=timeout_s))
