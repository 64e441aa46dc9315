"""Multipart forms of posts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from extremal_client.generated.schemas import JobOptions

from .images import GivenImage, file_part, image_parts
from .messages import Part

PICTURES = ("target_image", "target_mask")
OPTIONS = frozenset(JobOptions.__annotations__)
"""Arguments that say how a job is handled; all others are its parameters."""


def job_form(task: str, images: Iterable[GivenImage], asked: Mapping[str, Any]) -> list[Part]:
    """Return the form of a job or a batch.

    Args:
        task: its name.
        images: one, or several for a batch and the task `class_channels`.
        asked: parameters and options, by their names.

    Raises:
        OSError, TypeError: as `file_part`.
    """
    params = {"task": task} | {name: value for name, value in asked.items() if name not in OPTIONS}
    options = {name: value for name, value in asked.items() if name in OPTIONS}
    return [
        *(part for given in images for part in image_parts(given)),
        Part("params", json.dumps(params, default=_plain).encode(), media_type="application/json"),
        *option_parts(options),
    ]


def option_parts(options: Mapping[str, Any]) -> list[Part]:
    """Return a part for each option that is given: pictures as files, all else as text."""
    given = {name: value for name, value in options.items() if value is not None}
    return [
        file_part(name, value) if name in PICTURES else Part(name, _text(value).encode())
        for name, value in given.items()
    ]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=_plain)


def _plain(value: Any) -> Any:
    """Return an array or a number of numpy's as Python's."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{value!r:.80} can't be sent as JSON")
