"""Interactive requests to the workers: the top classes of an image. Imports no torch.

Queries wait in one list for whichever worker takes them first. A query's image lies under a key of its own, for as
long as somebody waits for the answer: where it has gone, the query is dropped. An answer is a list of its own with
one entry, so that one can wait for it.
"""

from __future__ import annotations

from typing import Annotated, cast
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import from_json, to_json
from redis import Redis

from ep_core.schemas.reports.common import ClassScore
from ep_core.schemas.specs import DEFAULT_MODEL, Fit
from ep_core.schemas.specs.common import MOST_WHITE, CommonSpec
from ep_core.schemas.warnings import Warnings

from .contract import Problem

MOST_WAITING = 100
MOST_CLASSES = 20
ANSWER_S = 30  # an answer that nobody fetched goes after that

_WAITING = "ep:asks"


class ClassifyParams(BaseModel):
    """Parameters of a classification."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Annotated[str, Field(min_length=1, max_length=200, description="A name that `GET /v1/models` lists.")] = (
        DEFAULT_MODEL
    )
    top: Annotated[int, Field(ge=1, le=MOST_CLASSES, description="Number of classes to return.")] = 5
    fit: Annotated[Fit, Field(description=CommonSpec.model_fields["fit"].description)] = "crop"
    white_level: Annotated[
        int | None, Field(ge=1, le=MOST_WHITE, description=CommonSpec.model_fields["white_level"].description)
    ] = None


class ClassifyQuery(ClassifyParams):
    """A query that waits for a worker."""

    id: str = Field(default_factory=lambda: uuid4().hex)


class Classified(BaseModel):
    """Top classes of an image."""

    model: Annotated[str, Field(description="The model used.", examples=[DEFAULT_MODEL])]
    classes: Annotated[list[ClassScore], Field(description="Those that score highest, the best first.")]
    warnings: Warnings = []


def post(redis: Redis, query: ClassifyQuery, image: bytes, *, wait_s: float) -> bool:
    """Put a query for a worker, for `wait_s` seconds. False where too many wait already."""
    if redis.llen(_WAITING) >= MOST_WAITING:  # before a large image is sent
        return False
    with redis.pipeline() as pipeline:
        pipeline.set(_image_key(query.id), image, px=max(1, round(1000 * wait_s)))
        pipeline.rpush(_WAITING, _text(query))
        waiting = pipeline.execute()[1]
    if waiting > MOST_WAITING:  # others came at the same moment
        withdraw(redis, query)
        return False
    return True


def withdraw(redis: Redis, query: ClassifyQuery) -> None:
    """Withdraw a query; an answer that comes all the same expires by itself."""
    with redis.pipeline() as pipeline:
        pipeline.lrem(_WAITING, 1, _text(query))
        pipeline.delete(_image_key(query.id), answer_key(query.id))
        pipeline.execute()


def take(redis: Redis, *, wait_s: float) -> tuple[ClassifyQuery, bytes] | None:
    """Return the next query and its image; None where within `wait_s` seconds nobody has one that still waits."""
    found = cast("tuple[bytes, bytes] | None", redis.blpop([_WAITING], timeout=wait_s))
    if found is None:
        return None
    query = ClassifyQuery.model_validate_json(found[1])
    image = cast("bytes | None", redis.getdel(_image_key(query.id)))
    return None if image is None else (query, image)


def answer(redis: Redis, query_id: str, said: Classified | Problem) -> None:
    """Answer a query, by the classes or by the reason why there are none."""
    document = {"problem": said} if isinstance(said, Problem) else said
    with redis.pipeline() as pipeline:
        pipeline.rpush(answer_key(query_id), to_json(document))
        pipeline.expire(answer_key(query_id), ANSWER_S)
        pipeline.execute()


def read_answer(text: bytes | str) -> Classified | Problem:
    """Return the answer of a worker."""
    document = from_json(text)
    if "problem" in document:
        return Problem.model_validate(document["problem"])
    return Classified.model_validate(document)


def answer_key(query_id: str) -> str:
    """Return the list that an answer is put into."""
    return f"ep:answer:{query_id}"


def _image_key(query_id: str) -> str:
    return f"ep:ask:{query_id}"


def _text(query: ClassifyQuery) -> str:
    return query.model_dump_json()
