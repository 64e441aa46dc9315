"""Requests and answers, and the site that they go to and come from."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

from extremal_client.errors import UnexpectedAnswer
from extremal_client.generated.operations import OPERATIONS, Name
from extremal_client.version import __version__


@dataclass(frozen=True)
class Part:
    """Part of a multipart form: a file where it has a file name, else a text."""

    name: str
    content: bytes
    file_name: str | None = None
    media_type: str | None = None


@dataclass(frozen=True)
class Request:
    """A request: to send it again is to send the same bytes."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Sequence[Part] = ()

    def with_headers(self, **headers: str) -> Request:
        """Return the request with more headers; ``_`` in their names is ``-``."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={**self.headers, **more})


@dataclass(frozen=True)
class Answer:
    """An answer; the names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes = b""
    url: str = ""

    @property
    def media_type(self) -> str:
        """The type of the content, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json(self) -> Any:
        """Return the content of an answer that is JSON.

        Raises:
            UnexpectedAnswer: it is something else.
        """
        try:
            return json.loads(self.content)
        except ValueError as error:
            raise UnexpectedAnswer(
                f"{self.url} answers {self.status} with {self.media_type or 'no content'} where JSON was expected: is "
                "this the address of the service?"
            ) from error


@dataclass(frozen=True)
class Site:
    """The service as this client reaches it.

    Args:
        url: its address, without a slash at its end.
        key: the API key, where it has keys.
        retry_s: seconds for which a request is sent again that gets no answer, or is told to come back later.
        clock: seconds that pass.
        chance: draws from [0, 1).
    """

    url: str
    key: str | None = field(default=None, repr=False)
    retry_s: float = 120.0
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    chance: Callable[[], float] = field(default=random.random, repr=False)

    def request(
        self, name: Name, /, *, form: Sequence[Part] = (), query: Mapping[str, Any] | None = None, **path: str
    ) -> Request:
        """Return the request of an operation at which a client begins; `path` fills its address."""
        method, address = OPERATIONS[name]
        address = address.format_map({key: quote(value, safe=":/") for key, value in path.items()})
        asked = urlencode({key: value for key, value in (query or {}).items() if value is not None})
        return Request(method, f"{self.url}{address}{f'?{asked}' if asked else ''}", self._headers(), form)

    def follow(self, link: str, *, method: str = "GET") -> Request:
        """Return the request of a link, as answers have it: a path from the root of the host.

        Raises:
            UnexpectedAnswer: it leads to another host, which shall not get the key.
        """
        url = urljoin(self.url, link)
        if urlsplit(url)[:2] != urlsplit(self.url)[:2]:
            raise UnexpectedAnswer(f"a link of {self.url} leads to {url}: another host, so that it isn't followed")
        return Request(method, url, self._headers())

    def _headers(self) -> dict[str, str]:
        agent = {"User-Agent": f"extremal-client/{__version__}"}
        return agent | ({} if self.key is None else {"Authorization": f"Bearer {self.key}"})
