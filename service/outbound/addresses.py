"""Checks of addresses that clients name: their form, and the hosts that they may resolve to."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import quote, urlsplit

import idna

MAX_URL_CHARS = 2048
PRIVATE = "its host has no address on the public internet"  # the same for an unknown name: it reveals less

_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
_BRACKETED = re.compile(r"\[([0-9a-f:.]+)\](:[0-9]*)?", re.IGNORECASE)
_LOCAL_NAMES = (".localhost", ".local", ".localdomain", ".internal", ".home.arpa")
_KEPT = "/%:@!$&'()*+,;=~"  # what a path may have in it as it is, beside letters, digits and "-._"

_NAT64 = ip_network("64:ff9b::/96")
_IPV6_UNICAST = ip_network("2000::/3")  # all that is given to the public so far
# Not left to `ipaddress` alone, whose lists differ from one Python to the next.
_NOT_PUBLIC = [
    ip_network(block)
    for block in (
        "100.64.0.0/10",  # shared by a carrier's customers; clouds have their metadata there too
        "168.63.129.16/32",  # metadata of a machine on Azure
        "192.0.0.0/24",  # protocols; metadata of a cloud among them
        "192.88.99.0/24",  # relays to 6to4
        "2001::/32",  # Teredo, with an IPv4 address inside
        "2002::/16",  # 6to4, with an IPv4 address inside
        "3fff::/20",  # documentation
    )
]


class OutboundError(Exception):
    """A request can't be made, or had no use. The message is a clause about "it", the address."""


class AddressRefused(OutboundError):
    """The address is none that the service calls: trying again doesn't help."""


@dataclass(frozen=True)
class Address:
    """A URL that was checked, in its parts."""

    scheme: str
    """``http`` or ``https``."""
    host: str
    """A name in lower-case ASCII, or an IP address in its usual spelling, without brackets."""
    port: int
    target: str
    """Path and query, percent-encoded."""

    @property
    def authority(self) -> str:
        """Value of the header ``Host``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


def check_url(url: str, *, allow_private: bool) -> str:
    """Return a URL in its normal form: ASCII, the host's spelling unified, no fragment.

    Nothing is looked up: where a name leads is checked at each request.

    Args:
        url: what a client sent.
        allow_private: let it be plain http, and lead into private networks.

    Raises:
        AddressRefused: it can't be called.
    """
    return str(parse_url(url, allow_private=allow_private))


def parse_url(url: str, *, allow_private: bool) -> Address:
    """Return the parts of a URL, as `check_url` checks it. Requests are made from these parts, never from the text."""
    if len(url) > MAX_URL_CHARS:
        raise AddressRefused(f"it has more than the {MAX_URL_CHARS} characters that it may have")
    if not url.isprintable() or " " in url or "\\" in url:
        raise AddressRefused("it has blanks, backslashes or unprintable characters in it")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefused("it isn't a URL such as https://example.com/path") from None
    if parts.scheme not in _PORTS or (parts.scheme == "http" and not allow_private):
        raise AddressRefused("it must begin with https://" + (" or http://" if allow_private else ""))
    if "@" in parts.netloc:
        raise AddressRefused("it has a user name or password in it, which isn't sent: leave them out")
    if port == 0:
        raise AddressRefused("its port must be between 1 and 65535")
    host = _host(parts.netloc, parts.hostname or "", allow_private=allow_private)
    target = quote(parts.path or "/", safe=_KEPT)
    if parts.query:
        target += "?" + quote(parts.query, safe=_KEPT + "?")
    address = Address(parts.scheme, host, port or _PORTS[parts.scheme], target)
    if len(str(address)) > MAX_URL_CHARS:
        raise AddressRefused(f"it has more than the {MAX_URL_CHARS} characters that it may have, percent-encoded")
    return address


def is_public(address: str) -> bool:
    """Return whether an IP address is one of a single host on the public internet.

    An IPv4 address inside an IPv6 one (mapped, NAT64) counts as itself; 6to4 and Teredo addresses aren't public.

    Raises:
        ValueError: it is no IP address.
    """
    ip = ip_address(address)
    if isinstance(ip, IPv6Address):
        inner = _inner(ip)
        if inner is None and ip not in _IPV6_UNICAST:
            return False
        ip = inner or ip
    if ip.is_multicast or ip.is_reserved or ip.is_unspecified or not ip.is_global:
        return False
    return not any(ip in block for block in _NOT_PUBLIC)


def _inner(ip: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that packets to `ip` reach."""
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped


def _host(netloc: str, name: str, *, allow_private: bool) -> str:
    """Return the host in its usual spelling."""
    if not name:
        raise AddressRefused("it names no host")
    literal = _ipv6(netloc) if "[" in netloc or "]" in netloc else None
    if literal is None:
        name = _ascii(name).removesuffix(".")
        if not _NAME.fullmatch(name):
            raise AddressRefused("its host isn't a valid name")
        literal = _ipv4(name)
    if not allow_private and not (is_public(literal) if literal else _may_be_public(name)):
        raise AddressRefused(PRIVATE)
    return literal or name


def _ipv6(netloc: str) -> str:
    found = _BRACKETED.fullmatch(netloc)
    try:
        return str(IPv6Address(found.group(1) if found else netloc))
    except ValueError:
        raise AddressRefused("its host isn't a valid IPv6 address") from None


def _ipv4(name: str) -> str | None:
    """Return the address that a resolver takes `name` for (``127.1``, ``0x7f.1``, ``2130706433``, ...), if any."""
    if not _NUMBER.fullmatch(name.rpartition(".")[2]):
        return None
    try:
        return str(IPv4Address(socket.inet_aton(name)))
    except OSError:
        raise AddressRefused("its host isn't a valid IPv4 address") from None


def _ascii(name: str) -> str:
    if name.isascii():
        return name
    try:
        return idna.encode(name, uts46=True).decode()
    except idna.IDNAError:
        raise AddressRefused("its host isn't a valid name") from None


def _may_be_public(name: str) -> bool:
    return "." in name and not name.endswith(_LOCAL_NAMES)
