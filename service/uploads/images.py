"""Images of a post."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from ep_core.errors import InvalidInput
from service.http.validation import FieldError
from worker.broker.contract import Problem
from worker.broker.problems import make_problem, problem_from

MAX_NAME_CHARS = 100


@dataclass(frozen=True)
class PostedImage:
    """An image's bytes, and its file's name, where it has one."""

    data: bytes
    """As they were posted; once the image is checked, as they are stored."""
    name: str = ""
    problem: Problem | None = None
    """Reason why the image can't be used, as far as it was checked: only in a batch, where the others can."""
    posted: bytes | None = None
    """The SHA-256 of the bytes that were posted, where others are stored."""
    size: tuple[int, int] = (0, 0)
    """Width and height in pixels, once it is checked."""

    @property
    def digest(self) -> bytes:
        """The SHA-256 of the posted bytes, which identifies the image."""
        return self.posted or hashlib.sha256(self.data).digest()

    def looked_at(self, data: bytes, size: tuple[int, int]) -> PostedImage:
        """Return the image with its size, and the bytes that are stored of it."""
        return replace(self, data=data, posted=self.posted if data is self.data else self.digest, size=size)


def clean_name(name: str) -> str:
    """Return a posted name without a folder, what can't be printed replaced, in `MAX_NAME_CHARS` at most."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(char if char.isprintable() else "\ufffd" for char in last)[:MAX_NAME_CHARS]


def image_error(detail: str, *, image: int, count: int, name: str = "") -> FieldError:
    """Return the field error of an image; one of several is named."""
    if count == 1:
        return FieldError(field="image", detail=detail)
    name = clean_name(name)
    return FieldError(field=f"image.{image}", detail=f"{name}: {detail}" if name else detail)


def unusable(name: str, detail: str | InvalidInput, *, too_large: bool = False) -> PostedImage:
    """Return an image of a batch that can't be used, with the reason."""
    if isinstance(detail, InvalidInput):
        return PostedImage(b"", name, problem_from(detail))
    slug = "upload-too-large" if too_large else "invalid-input"
    return PostedImage(b"", name, make_problem(slug, detail, field="image"))
