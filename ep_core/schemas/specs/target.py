"""Targets that can be asked for: a class, a contrast, a text, a detection, a segment, or a likeness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictInt,
    StrictStr,
    Tag,
    field_validator,
)

ClassName = StrictInt | Annotated[StrictStr, Field(min_length=1, max_length=200)]
"""Class index, label, or WordNet id of an ImageNet class."""


class ClassContrast(BaseModel):
    """One class instead of another: the score is the difference of theirs, ``f_class - f_instead_of``."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True, validate_by_name=True)

    class_: Annotated[ClassName, Field(alias="class", description="The class whose score is to be high.")]
    instead_of: Annotated[ClassName, Field(description="The class whose score is taken away.")]


MAX_TEXTS = 32

Text = Annotated[StrictStr, Field(min_length=1, max_length=500)]


class TextTarget(BaseModel):
    """A text that a network compares the image with (CLIP and its kind), by itself or against others."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: Annotated[Text, Field(description="A description of what may be in the image.", examples=["a bus in snow"])]
    against: Annotated[
        tuple[Text, ...],
        Field(
            max_length=MAX_TEXTS,
            description="Other descriptions. With them, the texts are the classes, and the text has a probability "
            "among them; without, its score is the network's similarity of image and text.",
        ),
    ] = ()


Coordinate = Annotated[float, Field(allow_inf_nan=False)]


def _four(box: Any) -> Any:
    """Refuse a list of another length in one message, in place of one for each number that lacks."""
    if isinstance(box, Sequence) and not isinstance(box, str) and len(box) != 4:
        raise ValueError(f"a box is [left, top, right, bottom], four numbers, not {len(box)}")
    return box


Box = Annotated[tuple[Coordinate, Coordinate, Coordinate, Coordinate], BeforeValidator(_four)]
"""Left, top, right and bottom in pixels of the upright image; pixel i spans [i, i + 1]."""


def _checked_box(box: Box) -> Box:
    left, top, right, bottom = box
    if not (left < right and top < bottom):
        raise ValueError(f"a box is [left, top, right, bottom] with left < right and top < bottom, not {list(box)}")
    return box


class BoxTarget(BaseModel):
    """The object that a detector finds at a place: the log-odds of the most that confidence times overlap (IoU) is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    box: Annotated[
        Box, Field(description="Left, top, right, bottom, in pixels of the image.", examples=[[40, 60, 320, 400]])
    ]
    label: Annotated[
        ClassName | None, Field(description="Its class; null takes that of the detection that matches the box best.")
    ] = None

    _check_box = field_validator("box")(_checked_box)


class SegmentTarget(BaseModel):
    """The pixels of a class, by a segmenter: their mean score in a region."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    segment: Annotated[ClassName, Field(description="The class.")]
    within: Annotated[
        Box | Literal["target_mask"] | None,
        Field(
            description="The region: a box (left, top, right, bottom, in pixels of the image), or `target_mask`, the "
            "picture that is sent as the part of that name, white where the region is; null takes the pixels that the "
            "segmenter itself says are of the class.",
            examples=[[40, 60, 320, 400]],
        ),
    ] = None

    @field_validator("within")
    @classmethod
    def _check_within(cls, within: Box | str | None) -> Box | str | None:
        return _checked_box(within) if isinstance(within, tuple) else within


class SimilarTarget(BaseModel):
    """A second picture: the score is the cosine of the embeddings of both."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    similar_to: Annotated[
        Literal["target_image"],
        Field(description="`target_image`: the picture that is sent as the part of that name."),
    ]


OBJECTS: tuple[type[BaseModel], ...] = (ClassContrast, TextTarget, BoxTarget, SegmentTarget, SimilarTarget)
"""Targets that are objects."""


def _form(value: Any) -> str | None:
    """Return the kind of an object, so that a mistake in one isn't told as one of each kind; None for what is none."""
    if isinstance(value, Mapping):
        by_key = (kind.__name__ for kind in OBJECTS[1:] if value.keys() & kind.model_fields.keys())
        return next(by_key, ClassContrast.__name__)
    return type(value).__name__ if isinstance(value, OBJECTS) else None


TargetObject = Annotated[
    Annotated[ClassContrast, Tag(ClassContrast.__name__)]
    | Annotated[TextTarget, Tag(TextTarget.__name__)]
    | Annotated[BoxTarget, Tag(BoxTarget.__name__)]
    | Annotated[SegmentTarget, Tag(SegmentTarget.__name__)]
    | Annotated[SimilarTarget, Tag(SimilarTarget.__name__)],
    Discriminator(_form),
]
Target = ClassName | TargetObject | None
