"""Warnings of results. Imports no torch."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field


class ResultWarning(BaseModel):
    """Warning that qualifies a result, and what to do about it."""

    kind: Annotated[str, Field(description="A stable, machine-readable kind, such as `preprocessing`.")]
    detail: Annotated[str, Field(description="What is wrong, with the values, and what to change.")]


Warnings = Annotated[
    list[ResultWarning],
    Field(description="Reasons to doubt this answer: of the image, the model or the masks. Often none."),
]
