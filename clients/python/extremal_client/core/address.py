"""The service's address and key, as they are given or stand in the environment."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from .messages import Site

URL, KEY = "EP_URL", "EP_KEY"
DEFAULT_URL = "http://127.0.0.1:8000"
RETRY_S = 120.0


def make_site(url: str | None, *, key: str | None, retry_s: float = RETRY_S) -> Site:
    """Return the site of an address and a key; where None, the environment's.

    Raises:
        ValueError: one can't be used.
    """
    url = (url or os.environ.get(URL) or DEFAULT_URL).strip().rstrip("/")
    key = (key or os.environ.get(KEY) or "").strip()
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError(f"the service's address is {url!r}: write it as http://host:port or https://host")
    if parts.query or parts.fragment:
        raise ValueError(f"the service's address is {url!r}: leave out what follows ? or #")
    if not (key.isascii() and key.isprintable()):
        raise ValueError("the API key has characters that no key has: check that it is whole, and nothing else")
    return Site(url, key or None, retry_s)
