"""Answers of the tools: a sentence, a small picture, and the same as data."""

from __future__ import annotations

import base64
import io
from dataclasses import asdict
from typing import Any

from mcp_types import CallToolResult, ContentBlock, ImageContent, TextContent
from PIL import Image
from pydantic import BaseModel, Field

from extremal_client.async_client import AsyncFile
from extremal_client.generated.schemas import Classified, JobRead, JobState, ModelList
from extremal_client.progress import fraction_of
from extremal_client.results import Explanation, Result

from .sentences import finding, seen, unfinished

SIDE, QUALITY = 1024, 80
"""Most pixels of a picture's longer side, and its quality as a JPEG: some 100 kB."""
_LEFT_OUT = frozenset({"predictions", "points", "binariness", "mask", "overlay", "map"})
_KEPT = ("target", "scores", "optimal_area", "curve", "methods", "channels", "extremality", "coverage", "warnings")


class Class(BaseModel):
    """A class that a model sees."""

    index: int
    label: str = Field(description="What `target` takes.")
    score: float
    probability: float | None = None


class Classes(BaseModel):
    """The classes that a model sees in an image, the best first."""

    model: str
    classes: list[Class]


class Model(BaseModel):
    """A model that can be explained."""

    name: str = Field(description="What `model` takes.")
    description: str
    classes: int
    targets: list[str] = Field(description="The kinds of `target` that it takes.")


class Models(BaseModel):
    """The models of the service."""

    default: str
    models: list[Model]


class JobAnswer(BaseModel):
    """A job, and once it has succeeded what was found."""

    job: str = Field(description="Its id, which `get_result` takes.")
    status: JobState
    fraction: float = Field(description="How much is done, in [0, 1].")
    link: str = Field(description="Its page, for people.")
    result: dict[str, Any] | None = Field(
        None, description="What was found: target, scores, a* (`optimal_area`), curve."
    )
    files: dict[str, str] = Field(default_factory=dict, description="Addresses of masks, pictures and pages.")


def classes_answer(found: Classified) -> CallToolResult:
    """Return the answer of `classify`."""
    return _answer(seen(found), Classes.model_validate(asdict(found)))


def models_answer(found: ModelList) -> CallToolResult:
    """Return the answer of `list_models`."""
    names = ", ".join(one.name for one in found.models)
    return _answer(f"The default is {found.default}. There are: {names}.", Models.model_validate(asdict(found)))


def unfinished_answer(job: JobRead, link: str) -> CallToolResult:
    """Return the answer where a job takes longer than is waited for."""
    return _answer(unfinished(job), _job(job, link))


async def result_answer(result: Result[AsyncFile], link: str) -> CallToolResult:
    """Return the answer of a job that has succeeded, with its picture."""
    found = _job(result.job, link)
    found.result = {name: _brief(result.document[name]) for name in _KEPT if name in result.document}
    found.result |= {"task": result.document["task"], "model": result.document["model"]["name"]}
    found.files = {name: file.url for name, file in result.files.items()}
    file = _picture(result)
    picture = [] if file is None else [_small(await file.image())]
    return _answer(f"{finding(result)} {link}", found, *picture)


def _answer(text: str, structured: BaseModel, *more: ContentBlock) -> CallToolResult:
    content: list[ContentBlock] = [TextContent(type="text", text=text), *more]
    return CallToolResult(content=content, structured_content=structured.model_dump(mode="json"))


def _job(job: JobRead, link: str) -> JobAnswer:
    return JobAnswer(job=job.id, result=None, status=job.status, fraction=fraction_of(job), link=link)


def _picture(result: Result[AsyncFile]) -> AsyncFile | None:
    """Return the file that shows a result at a glance."""
    if isinstance(result, Explanation):
        area = result.optimal_area or max(point.area for point in result.curve)
        overlay: AsyncFile = result.overlays[area]
        return overlay
    return next((result.files[name] for name in ("comparison", "sheet", "saliency") if name in result.files), None)


def _small(picture: Image.Image) -> ImageContent:
    picture = picture.convert("RGB")
    picture.thumbnail((SIDE, SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=QUALITY)
    return ImageContent(type="image", data=base64.b64encode(buffer.getvalue()).decode(), mime_type="image/jpeg")


def _brief(value: Any) -> Any:
    """Return a part of a report without what fills pages (predictions, rivals) and links, which are in `files`."""
    if isinstance(value, dict):
        return {key: _brief(one) for key, one in value.items() if key not in _LEFT_OUT}
    return [_brief(one) for one in value] if isinstance(value, list) else value
