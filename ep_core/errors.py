"""Errors of requests, with messages that name what was wrong and what to change.

The floors above map these to problem details (RFC 9457); the engine itself knows nothing of HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence


class InvalidInput(ValueError):
    """Something in the request can't be used. Asking again with the same input gives the same error.

    `field` names the input at fault (``"target"``, ``"image"``, ...), `slug` is a stable, machine-readable kind.
    """

    slug = "invalid-input"

    def __init__(self, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field


class UnknownName(InvalidInput):
    """Unknown name; `nearest` holds the closest known ones, best first."""

    slug = "unknown-name"

    def __init__(self, detail: str, *, field: str, nearest: Sequence[str] = ()) -> None:
        super().__init__(detail, field=field)
        self.nearest = list(nearest)


class NotFinite(InvalidInput):
    """The network's scores for this image and perturbation are NaN or infinite."""

    slug = "not-finite"


class UnreadableImage(InvalidInput):
    """The bytes aren't a single, whole picture in a supported format."""

    slug = "unreadable-image"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, field="image")


class ImageTooLarge(InvalidInput):
    """The picture has more pixels or bytes than the limit."""

    slug = "image-too-large"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, field="image")


class ModelUnavailable(RuntimeError):
    """A known model can't be used: its weights can't be had or fail their hash, or its gradient is of no use."""

    slug = "model-unavailable"
