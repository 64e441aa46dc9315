"""Sizes and boxes in pixels with named sides, so that no order has to be known. Imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, Field, computed_field

DEPRECATED: dict[str, Any] = {"deprecated": True}
"""Marks a field in JSON schemas; reading it warns nobody, as pydantic's own mark would."""


class PixelSize(BaseModel):
    """A size, in pixels."""

    width: int
    height: int

    @classmethod
    def of(cls, size: tuple[int, int]) -> Self:
        """Return a size that is given as height and width."""
        height, width = size
        return cls(width=width, height=height)


class PixelBox(BaseModel):
    """A box's outer edges on an image, in its pixels: pixel i spans [i, i + 1]."""

    left: float
    top: float
    right: float
    bottom: float


NEARLY_ALL = 0.995
"""Share of an image from which on all of it counts as seen, of a frame as filled. The page has the same (`seen.js`)."""


class Coverage(BaseModel):
    """Shares that the image and the network's frame have in common."""

    image: Annotated[float, Field(description="Share of the image that the network sees: 1 where nothing is cut off.")]
    frame: Annotated[float, Field(description="Share of the frame that the image fills: the rest is padding.")]

    @classmethod
    def of(cls, image_size: tuple[int, int], box: tuple[float, float, float, float]) -> Self:
        """Return the coverage of an image, its height and width, by a frame: left, top, right and bottom on it."""
        height, width = image_size
        left, top, right, bottom = box
        shared = max(0, min(width, right) - max(0, left)) * max(0, min(height, bottom) - max(0, top))
        return cls(image=shared / (width * height), frame=shared / ((right - left) * (bottom - top)))

    @property
    def is_cut(self) -> bool:
        """True where a part of the image is cut off."""
        return self.image < NEARLY_ALL

    @property
    def is_padded(self) -> bool:
        """True where a part of the frame is padding."""
        return self.frame < NEARLY_ALL

    @property
    def whole(self) -> str:
        """The whole that areas are shares of, in words."""
        if self.is_padded:
            return "the padded image"
        return "what the network sees" if self.is_cut else "the image"


ImageSize = Annotated[
    tuple[int, int],
    Field(
        description="Height and width of the image as a person sees it, in pixels: use `image`.",
        json_schema_extra=DEPRECATED,
    ),
]
FrameBox = Annotated[
    tuple[float, float, float, float] | None,
    Field(description="Left, top, right and bottom of `frame`: use that.", json_schema_extra=DEPRECATED),
]
InputSize = Annotated[
    tuple[int, int],
    Field(
        description="Height and width of the network's frame, in pixels: use `resolution`.",
        json_schema_extra=DEPRECATED,
    ),
]


class OnImage(BaseModel):
    """A report of an image: its size and the network's frame by name, from what is stored."""

    if TYPE_CHECKING:  # declared by each report at its place
        image_size: tuple[int, int]
        frame_box: tuple[float, float, float, float] | None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def image(self) -> PixelSize:
        """Size of the image as a person sees it."""
        return PixelSize.of(self.image_size)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def frame(self) -> PixelBox | None:
        """Position of the network's input on the image: partly outside where it was padded; null in old results."""
        if self.frame_box is None:
            return None
        left, top, right, bottom = self.frame_box
        return PixelBox(left=left, top=top, right=right, bottom=bottom)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def coverage(self) -> Coverage | None:
        """Shares of the image and of the frame that the network sees of the image; null in old results."""
        if self.frame_box is None:
            return None
        return Coverage.of(self.image_size, self.frame_box)


class OfModel(BaseModel):
    """A model's mention: the size of its input by name, from what is stored."""

    if TYPE_CHECKING:
        input_size: tuple[int, int]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def resolution(self) -> PixelSize:
        """Size of the network's input, its frame."""
        return PixelSize.of(self.input_size)
