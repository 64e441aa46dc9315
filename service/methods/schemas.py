"""Methods as the API describes them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field


class MethodRead(BaseModel):
    """A method that the task `compare` can show."""

    name: Annotated[str, Field(description="What `params.methods` calls it.", examples=["grad_cam"])]
    title: Annotated[str, Field(description="Its usual name.", examples=["Grad-CAM"])]
    about: Annotated[str, Field(description="What it does, in a sentence for those who don't know it.")]
    source: Annotated[str, Field(description="Its publication: authors, title, venue.")]
    by_default: Annotated[bool, Field(description="Whether a comparison that names no methods has it.")]


class MethodList(BaseModel):
    """All methods."""

    methods: Annotated[list[MethodRead], Field(description="First the paper's, in the order of its table.")]
