"""API keys, their owners and limits. Only hashes of the keys are stored."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import limits
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ep_core.schemas.wording import lines

PREFIX = "ep_"
PRIVATE = 0o600  # the file holds the secrets that sign webhooks


def check_rate(rate: str) -> str:
    """Return a rate limit such as ``10/second;600/minute``; raises `ValueError` where it is none."""
    try:
        limits.parse_many(rate)
    except ValueError as error:
        raise ValueError(f"{rate!r} is no rate: write it as 600/minute, or several as 10/second;600/minute") from error
    return rate


Rate = Annotated[str, AfterValidator(check_rate)]


class ApiKey(BaseModel):
    """API key as the operator lists it. An unset value is the settings' own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$", description="Whose it is; its jobs carry it.")]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="The key's SHA-256, in hex.")]
    rate: Annotated[Rate | None, Field(description="Most requests, as 600/minute.")] = None
    max_queued: Annotated[int | None, Field(ge=0, description="Most jobs that may wait.")] = None
    max_upload_bytes: Annotated[int | None, Field(gt=0, description="Most bytes of an image.")] = None
    webhook_secret: Annotated[
        str | None, Field(pattern="^whsec_[A-Za-z0-9+/=]{32,}$", description="Signs its webhooks.")
    ] = None


def hash_key(key: str) -> str:
    """Return the stored hash of a key. It is 256 random bits, so that a plain hash does."""
    return hashlib.sha256(key.encode()).hexdigest()


def new_key() -> str:
    """Return a new key."""
    return PREFIX + secrets.token_urlsafe(32)


class KeyRing:
    """All keys; two of the same name are two keys of the same owner.

    Args:
        keys: those of the settings and of the file.
    """

    def __init__(self, keys: Iterable[ApiKey]) -> None:
        self._keys = tuple(keys)

    def __bool__(self) -> bool:
        return bool(self._keys)

    def find(self, key: str) -> ApiKey | None:
        """Return the key that a client has sent, compared with all in constant time; None where it is none of them."""
        digest = hash_key(key)
        matches = [one for one in self._keys if hmac.compare_digest(one.sha256, digest)]
        return matches[0] if matches else None

    def of(self, owner: str) -> ApiKey | None:
        """Return the first key of an owner, or None where there is none (any more)."""
        return next((one for one in self._keys if one.name == owner), None)


def read_keys(file: Path) -> list[ApiKey]:
    """Return the keys of a TOML file, which has a table ``[[keys]]`` for each.

    Raises:
        ValueError: it can't be read, or isn't such a file; the message is one line.
    """
    try:
        listed = tomllib.loads(file.read_text(encoding="utf-8-sig")).get("keys", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{file}: {error}") from error
    try:
        return TypeAdapter(list[ApiKey]).validate_python(listed)
    except ValidationError as error:
        faults = lines(error.errors(), lambda place: ".".join(["keys", *place]))
        raise ValueError(f"{file}: {'; '.join(faults)}") from error


def add_key(file: Path, key: ApiKey) -> None:
    """Add a key to a file, which is made where it is missing, and which only its owner may read from then on.

    Raises:
        OSError: it can't be written.
        ValueError: what is there is no such file (`read_keys`).
    """
    if file.exists():
        read_keys(file)
    fields = [
        f"{name} = {value}" if isinstance(value, int) else f'{name} = "{value}"'
        for name, value in key.model_dump(exclude_none=True).items()
    ]
    with open(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, PRIVATE), "a") as opened:
        os.fchmod(opened.fileno(), PRIVATE)
        opened.write("\n".join(["", "[[keys]]", *fields, ""]))


def is_open_to_others(file: Path) -> bool:
    """Return whether others than this process can read a file.

    Of a file of another user's, as Kubernetes mounts secrets, its group may: this process is in it.
    """
    found = file.stat()
    return bool(found.st_mode & (0o077 if found.st_uid == os.getuid() else 0o007))


def load_keys(file: Path | None, further: Iterable[ApiKey] = ()) -> KeyRing:
    """Return the keys of a file, if any, and further ones.

    Raises:
        ValueError: as for `read_keys`.
    """
    return KeyRing([*(read_keys(file) if file else ()), *further])
