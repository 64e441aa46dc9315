"""Targets that can be asked for: a class, or one class instead of another."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

ClassName = StrictInt | Annotated[StrictStr, Field(min_length=1, max_length=200)]
"""Class index, label, or WordNet id of an ImageNet class."""


class ClassContrast(BaseModel):
    """One class instead of another: the score is the difference of theirs, ``f_class - f_instead_of``."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True, validate_by_name=True)

    class_: Annotated[ClassName, Field(alias="class", description="The class whose score is to be high.")]
    instead_of: Annotated[ClassName, Field(description="The class whose score is taken away.")]


Target = ClassName | ClassContrast | None
