"""The images of a post."""

from __future__ import annotations

from dataclasses import dataclass

from service.validation import FieldError

MAX_NAME_CHARS = 100


@dataclass(frozen=True)
class PostedImage:
    """An image's bytes, not looked at yet, and its file's name, where it has one."""

    data: bytes
    name: str = ""


def clean_name(name: str) -> str:
    """Return a posted name without a folder, what can't be printed replaced, in `MAX_NAME_CHARS` at most."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(char if char.isprintable() else "\ufffd" for char in last)[:MAX_NAME_CHARS]


def image_error(detail: str, *, image: int, count: int, name: str = "") -> FieldError:
    """Return what is wrong with an image; one of several is named."""
    if count == 1:
        return FieldError(field="image", detail=detail)
    name = clean_name(name)
    return FieldError(field=f"image.{image}", detail=f"{name}: {detail}" if name else detail)
