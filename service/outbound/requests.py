"""HTTP requests to addresses that clients name.

Such an address may try to lead into the network that the service stands in. So a name is resolved once for each
request, all its addresses are checked, and the connection goes to one of those checked; redirects aren't followed;
neither proxies nor cookies are used; and every answer has a deadline and a most size.

No kept library does all of this: httpx-secure 2.0, drawbridge 0.1 and safehttpx 0.2 let through relays to 6to4,
`fec0::/10` or the addresses where clouds tell secrets, and none has a deadline over a whole request.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import cache
from http import HTTPStatus
from typing import Any

import httpcore
from anyio import CapacityLimiter
from anyio.to_thread import run_sync

from ep_core.version import __version__

from .addresses import PRIVATE, Address, AddressRefused, OutboundError, check_url, is_public, parse_url

__all__ = ["AddressRefused", "Outbound", "OutboundError", "check_url"]

CONNECT_S = 5.0  # for one of a name's addresses; the request's deadline is over all
DRAIN_BYTES = 16_384  # what is read of an answer whose status is all that counts, so that its sender sees no error
DRAIN_S = 1.0
MAX_LOOKUPS = 64  # at a time: a name server that doesn't answer takes a thread for some seconds
USER_AGENT = f"extremal-perturbations/{__version__}"


class Outbound:
    """Makes requests, one connection each; to be used on one event loop. Nothing has to be closed.

    Args:
        allow_private: let addresses be plain http, and lead into private networks.
        tls: what certificates to trust; None: those that the machine trusts.
    """

    def __init__(self, *, allow_private: bool, tls: ssl.SSLContext | None = None) -> None:
        self._allow_private = allow_private
        self._tls = tls or _trusted()
        self._network = _GuardedNetwork(allow_private=allow_private)

    async def post(self, url: str, *, content: bytes, headers: Mapping[str, str], timeout_s: float) -> int:
        """Send `content` and return the status of the answer, a redirect's too.

        Args:
            url: as `check_url` returned it.
            content: the body.
            headers: beside ``Host``, ``User-Agent`` and ``Content-Length``; ASCII.
            timeout_s: seconds from the look-up of the name to the answer's last header.

        Raises:
            AddressRefused: the address, or what its name leads to now, is none that the service calls.
            OutboundError: there was no answer.
        """
        async with self._request("POST", url, headers=headers, content=content, timeout_s=timeout_s) as answer:
            await _drain(answer)
            return answer.status

    async def fetch(self, url: str, *, max_bytes: int, timeout_s: float) -> bytes:
        """Return the body that a GET is answered with.

        Args:
            url: as `check_url` returned it.
            max_bytes: most bytes that the body may have; the connection is cut off at the first one too many.
            timeout_s: seconds from the look-up of the name to the body's end.

        Raises:
            AddressRefused: the address, or what its name leads to now, is none that the service calls.
            OutboundError: there was no answer, not the status 200, or too much of a body.
        """
        headers = {"Accept-Encoding": "identity"}
        async with self._request("GET", url, headers=headers, content=None, timeout_s=timeout_s) as answer:
            _expect_plain_body(answer, max_bytes)
            body = bytearray()
            async for chunk in answer.aiter_stream():
                body += chunk
                if len(body) > max_bytes:
                    raise _too_large(max_bytes)
            return bytes(body)

    @asynccontextmanager
    async def _request(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes | None, timeout_s: float
    ) -> AsyncIterator[httpcore.Response]:
        """Make a request; all that happens inside has `timeout_s` seconds, and fails as an `OutboundError`."""
        address = parse_url(url, allow_private=self._allow_private)
        target = _as_httpcore(address)
        fields = [("Host", address.authority), ("User-Agent", USER_AGENT), ("Accept", "*/*"), *headers.items()]
        try:
            async with (
                asyncio.timeout(timeout_s),
                self._connection(target.origin) as connection,
                connection.stream(method, target, headers=fields, content=content) as answer,
            ):
                yield answer
        except (TimeoutError, httpcore.TimeoutException):
            raise OutboundError(f"it didn't answer in time (within {timeout_s:g} s)") from None
        except httpcore.ConnectError as error:
            raise OutboundError(_why_no_connection(error)) from error
        except (httpcore.NetworkError, httpcore.RemoteProtocolError, OSError) as error:
            raise OutboundError("it broke off the connection, or doesn't speak HTTP as it should") from error

    def _connection(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        return httpcore.AsyncHTTPConnection(origin, ssl_context=self._tls, network_backend=self._network)


class _GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to public addresses only, to those that it has checked."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._network = httpcore.AnyIOBackend()
        self._lookups = CapacityLimiter(MAX_LOOKUPS)  # of their own: others wait for no name server

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        found = await run_sync(look_up, host, port, abandon_on_cancel=True, limiter=self._lookups)
        if not self._allow_private and not (found and all(map(is_public, found))):
            raise AddressRefused(PRIVATE) if found else OutboundError(PRIVATE)  # a name server may be away for now
        for ip in found:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return await self._network.connect_tcp(
                    ip, port, timeout=CONNECT_S, local_address=local_address, socket_options=socket_options
                )
        raise OutboundError("its host can't be reached" if found else "its host can't be found")

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise AddressRefused(PRIVATE)


@cache
def _trusted() -> ssl.SSLContext:
    """Return what the machine trusts, for all of a process: to read its certificates takes a quarter of a second."""
    return httpcore.default_ssl_context()


def look_up(host: str, port: int) -> list[str]:
    """Return the IP addresses of a name, best first; none where there is no such name or no answer."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _as_httpcore(address: Address) -> httpcore.URL:
    return httpcore.URL(scheme=address.scheme, host=address.host, port=address.port, target=address.target)


async def _drain(answer: httpcore.Response) -> None:
    read = 0
    with suppress(TimeoutError, httpcore.NetworkError, httpcore.RemoteProtocolError):
        async with asyncio.timeout(DRAIN_S):
            async for chunk in answer.aiter_stream():
                read += len(chunk)
                if read > DRAIN_BYTES:
                    return


def _expect_plain_body(answer: httpcore.Response, max_bytes: int) -> None:
    if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        raise OutboundError("it redirects, and redirects aren't followed: give the address where they end")
    if answer.status != HTTPStatus.OK:
        raise OutboundError(f"it answered with the status {answer.status} in place of 200")
    headers = {name.lower(): value for name, value in answer.headers}
    if headers.get(b"content-encoding", b"identity").lower() not in (b"", b"identity"):
        raise OutboundError("it sends its content compressed, though asked not to (Accept-Encoding: identity)")
    if int(headers.get(b"content-length", b"0")) > max_bytes:  # the HTTP parser lets nothing but digits through
        raise _too_large(max_bytes)


def _too_large(max_bytes: int) -> OutboundError:
    return OutboundError(f"it has more than the {max_bytes} bytes that it may have")


def _why_no_connection(error: httpcore.ConnectError) -> str:
    cause = error.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its TLS certificate isn't valid: {cause.verify_message}"
    return "its host doesn't speak TLS as it should" if isinstance(cause, ssl.SSLError) else "its host can't be reached"
