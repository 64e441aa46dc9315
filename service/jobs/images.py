"""The images of a post."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PostedImage:
    """An image's bytes, not looked at yet, and its file's name, where it has one."""

    data: bytes
    name: str = ""


def image_field(image: int, count: int) -> str:
    """Return what an image of so many is called in an error."""
    return "image" if count == 1 else f"image.{image}"
