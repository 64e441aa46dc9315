"""Redis by way of its Sentinels, which know where its primary is at the moment. Imports no torch.

An address is ``redis+sentinel://user:password@host1:26379,host2:26379/primary/0``, with ``rediss+sentinel`` for TLS.
What follows a ``?`` is redis-py's, and ``sentinel_password`` for the Sentinels' own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from redis import Redis
from redis.asyncio import BlockingConnectionPool
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.sentinel import Sentinel as AsyncSentinel
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.connection import parse_url
from redis.sentinel import Sentinel

SCHEMES = ("redis+sentinel", "rediss+sentinel")
PORT = 26379
_OF_BOTH = ("socket_connect_timeout", "socket_timeout", "socket_keepalive")


class _BlockingPool(SentinelConnectionPool, BlockingConnectionPool):
    """Connections to the primary of which there are so many at most; a command waits for one."""


@dataclass(frozen=True)
class Sentinels:
    """Sentinels of one primary.

    Args:
        places: their hosts and ports.
        primary: the name by which they know it.
        of_primary: keywords for connections to it: database, login, TLS.
        of_sentinels: those for connections to themselves.
    """

    places: tuple[tuple[str, int], ...]
    primary: str
    of_primary: dict[str, Any]
    of_sentinels: dict[str, Any]

    @classmethod
    def of(cls, url: str) -> Sentinels | None:
        """Return the Sentinels that an address names; None for one of a Redis itself.

        Raises:
            ValueError: the address isn't complete.
        """
        parts = urlsplit(url)
        if parts.scheme not in SCHEMES:
            return None
        login, at, listed = parts.netloc.rpartition("@")
        primary, _, database = parts.path.strip("/").partition("/")
        if not primary or not listed:
            raise ValueError(f"{parts.scheme}:// needs hosts and the primary's name: host1:26379,host2:26379/NAME/0")
        scheme = parts.scheme.removesuffix("+sentinel")
        found: dict[str, Any] = dict(parse_url(f"{scheme}://{login}{at}host/{database}?{parts.query}"))
        password = found.pop("sentinel_password", None)
        found.pop("host")
        if found.pop("connection_class", None) is not None:
            found["ssl"] = True
        own = {key: value for key, value in found.items() if key.startswith("ssl")} | {"password": password}
        return cls(tuple(_place(one) for one in listed.split(",")), primary, found, own)

    def client(self, **options: Any) -> Redis:
        """Return a client of the primary; `options` are those of `redis.Redis`."""
        how = {"sentinel_kwargs": self._of_sentinels(options)} | options | self.of_primary
        return Sentinel(self.places, **how).master_for(self.primary)

    def async_client(self, **options: Any) -> AsyncRedis:
        """Return a client for an event loop; with `max_connections`, a command waits where all are in use."""
        pool = _BlockingPool if "max_connections" in options else SentinelConnectionPool
        how = {"sentinel_kwargs": self._of_sentinels(options)} | options | self.of_primary
        return AsyncSentinel(self.places, **how).master_for(self.primary, connection_pool_class=pool)

    def _of_sentinels(self, options: dict[str, Any]) -> dict[str, Any]:
        return self.of_sentinels | {key: options[key] for key in _OF_BOTH if key in options}


def _place(listed: str) -> tuple[str, int]:
    host, _, port = listed.rpartition(":") if listed.rpartition(":")[2].isdigit() else (listed, "", str(PORT))
    return host.strip("[]"), int(port)
