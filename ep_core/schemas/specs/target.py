"""Targets that can be asked for: a class, one class instead of another, or a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StrictInt, StrictStr, Tag

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


def _form(value: Any) -> str | None:
    """Return the kind of an object, so that a mistake in one isn't told as one of each kind; None for what is none."""
    if isinstance(value, Mapping):
        return TextTarget.__name__ if value.keys() & TextTarget.model_fields.keys() else ClassContrast.__name__
    return type(value).__name__ if isinstance(value, ClassContrast | TextTarget) else None


TargetObject = Annotated[
    Annotated[ClassContrast, Tag(ClassContrast.__name__)] | Annotated[TextTarget, Tag(TextTarget.__name__)],
    Discriminator(_form),
]
Target = ClassName | TargetObject | None
