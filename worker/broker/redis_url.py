"""Redis's address, as operators write it. Imports no torch."""

from __future__ import annotations

from urllib.parse import quote, urlsplit


def has_password(url: str) -> bool:
    """Return whether Redis's address has a password in it."""
    return urlsplit(url).password is not None


def with_password(url: str, password: str) -> str:
    """Return Redis's address, which has no password, with one, whatever characters that has."""
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}").geturl()
