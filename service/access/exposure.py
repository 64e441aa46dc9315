"""Exposure of the service: address to listen on, host names it answers to, and web pages that may call it."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from service.http.errors import Forbidden
from service.http.prefix import FOR_MACHINES, path_of
from service.http.problems import REQUEST_ID_HEADER, respond
from service.settings import ApiSettings

_READING = ("GET", "HEAD", "OPTIONS")
_OUR_OWN = ("same-origin", "none")  # `Sec-Fetch-Site`: by a page of ours, or by the user
_EXPOSED = [
    "Location",
    "Retry-After",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "RateLimit-Policy",
    "Idempotent-Replayed",
    "Preference-Applied",
    "ETag",
    "Inference-Header-Content-Length",
    REQUEST_ID_HEADER,
]


def check_exposure(settings: ApiSettings, *, has_keys: bool) -> str | None:
    """Return the reason why the service may not listen on the address of the settings, or None where it may."""
    if has_keys or settings.allow_anonymous or is_loopback(settings.host):
        return None
    return (
        f"on {settings.host} anybody who reaches it could use the service: set up API keys (EP_API_KEYS_FILE, see "
        "`ep new-key`), or say with EP_ALLOW_ANONYMOUS=true that this is meant"
    )


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches an address or name."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def install(app: FastAPI, settings: ApiSettings, *, has_keys: bool) -> None:
    """Put the guards around `app`."""
    origins = settings.cors_origins or ()
    hosts = settings.allowed_hosts or (("*",) if has_keys or settings.allow_anonymous else ())
    app.add_middleware(_Guard, hosts=hosts, origins=("*",) if has_keys else origins)  # no page has its visitors' keys
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "HEAD", "POST", "DELETE"],
            allow_headers=["*"],
            expose_headers=_EXPOSED,
            max_age=3600,
        )


class _Guard:
    """Refuses requests that a foreign web page makes a user's browser send.

    Browsers send simple forms anywhere without asking first, and a page can have its own host name lead to the loopback
    interface, or into a private network.

    Args:
        app: what is guarded.
        hosts: names answered to, beside this machine's own.
        origins: whose pages may send more than reads.
    """

    def __init__(self, app: ASGIApp, *, hosts: Sequence[str], origins: Sequence[str]) -> None:
        self._app = app
        self._hosts = [host.lower() for host in hosts]
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        reason = None if path_of(scope) in FOR_MACHINES else self._refusal(scope["method"], Headers(scope=scope))
        if reason is None:
            await self._app(scope, receive, send)
        else:
            await respond(Forbidden(reason).problem)(scope, receive, send)

    def _refusal(self, method: str, headers: Headers) -> str | None:
        host = headers.get("host", "")
        if not self._answers_to(_name(host).lower()):
            return (
                f"This service doesn't answer to the name {host[:100]!r}: the operator can add it to EP_ALLOWED_HOSTS."
            )
        if method in _READING or "*" in self._origins:
            return None
        return self._refusal_of_page(headers, host)

    def _refusal_of_page(self, headers: Headers, host: str) -> str | None:
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if origin is not None:
            is_known = origin in self._origins or origin.partition("://")[2] == host
            return None if is_known else Forbidden.example
        if site is None or site in _OUR_OWN:
            return None
        return (
            f"A page of another origin asks this (Sec-Fetch-Site is {site[:20]!r}) and doesn't say which: let its "
            "requests carry Origin, and the operator allow it with EP_CORS_ORIGINS."
        )

    def _answers_to(self, name: str) -> bool:
        return "*" in self._hosts or name in self._hosts or is_loopback(name)


def _name(host: str) -> str:
    """Return a Host header without its port."""
    return host.partition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
