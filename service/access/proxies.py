"""Trusted proxies in front of the service, and the client and path that they forward."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import structlog
from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from service.http.prefix import check_prefix, put_below
from service.settings import ApiSettings

PREFIX_HEADER = "X-Forwarded-Prefix"

_log = structlog.get_logger(__name__)


class Proxies:
    """Proxies that the operator trusts.

    Args:
        names: addresses or networks; ``*`` for all.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._are_all = "*" in names
        self._networks = [ipaddress.ip_network(one, strict=False) for one in names if one != "*"]

    @property
    def names(self) -> list[str]:
        """The same in their normal form, as uvicorn takes them."""
        return ["*"] if self._are_all else [str(network) for network in self._networks]

    def __contains__(self, address: str) -> bool:
        if self._are_all:
            return True
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._networks)


def install(app: FastAPI, settings: ApiSettings) -> None:
    """Let `app` trust the proxies that the settings name; outside of all that needs the client or the address."""
    proxies = Proxies(settings.trusted_proxies or ())
    if proxies.names:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=proxies.names)
    if proxies.names or settings.root_path:  # outside: it has to see the peer
        app.add_middleware(_FindPrefix, root_path=settings.root_path or "", proxies=proxies)


class _FindPrefix:
    """Puts each request below its prefix: that of the settings, else the one that a proxy names.

    Args:
        app: what gets the requests.
        root_path: of the settings.
        proxies: those that are believed. `scope["client"]` has to be the peer still.
    """

    def __init__(self, app: ASGIApp, *, root_path: str, proxies: Proxies) -> None:
        self._app = app
        self._root_path = root_path
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        prefix = "" if scope["type"] != "http" else self._root_path or self._forwarded(scope)
        if prefix:
            put_below(scope, prefix)
        await self._app(scope, receive, send)

    def _forwarded(self, scope: Scope) -> str:
        """Return the prefix that the proxies forward, the outermost part first; "" where it isn't a path."""
        sent = Headers(scope=scope).getlist(PREFIX_HEADER)
        if not sent or not scope["client"] or scope["client"][0] not in self._proxies:
            return ""
        try:
            return check_prefix("".join(check_prefix(one.strip()) for one in ",".join(sent).split(",")))
        except ValueError as error:
            _log.warning(f"{PREFIX_HEADER} isn't used", reason=str(error), proxy=scope["client"][0])
            return ""
