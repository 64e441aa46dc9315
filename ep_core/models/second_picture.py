"""Errors of a target's second picture, named after its part."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ep_core.errors import InvalidInput


@contextmanager
def about_part(part: str) -> Iterator[None]:
    """Say of errors of an image that they are those of `part`, ``target_image`` or ``target_mask``."""
    try:
        yield
    except InvalidInput as error:
        if error.field in ("image", "fit"):
            error.detail, error.field = f"{part}: {error.detail}", part
            error.args = (error.detail,)
        raise
