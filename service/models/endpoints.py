"""`/v1/models`: the models on offer."""

from __future__ import annotations

import gzip
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel

from ep_core.errors import UnknownName
from ep_core.schemas.model_card import ModelCard
from ep_core.schemas.specs import DEFAULT_MODEL
from service.deps import LinksDep, RedisDep
from service.http.caching import NOT_MODIFIED, IfNoneMatch, checked_response
from service.http.errors import NotFound, Unavailable
from service.http.links import Links
from service.http.problems import problem_responses
from worker.broker import catalogue

from .schemas import ModelList, ModelRead, ModelSummary
from .service import find_model

router = APIRouter(prefix="/v1/models", tags=["models"])


@router.get(
    "",
    summary="List the models",
    response_model=ModelList,
    responses={304: NOT_MODIFIED, **problem_responses(Unavailable)},
)
def get_models(redis: RedisDep, links: LinksDep, if_none_match: IfNoneMatch = None) -> Response:
    """List the models that the workers offer."""
    listed = [_summary(card, links) for card in catalogue.cards(redis)]
    return _respond(ModelList(default=DEFAULT_MODEL, models=listed), if_none_match)


@router.get(
    "/{name:path}",
    summary="Read a model",
    response_model=ModelRead,
    responses={304: NOT_MODIFIED, **problem_responses(NotFound, Unavailable)},
)
def get_model(
    request: Request,
    name: Annotated[str, Path(description="May contain `:` and `/`.", examples=["mobilenet_v2"])],
    redis: RedisDep,
    links: LinksDep,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Return a model with its class labels, and its layers that have channels."""
    try:
        card = find_model(redis, name)
    except UnknownName as error:
        raise NotFound(error.detail, nearest=error.nearest) from error
    shown = ModelRead(**_summary(card, links).model_dump(), labels=card.labels, layers=card.layers)
    has_tokens = any(layer.tokens for layer in card.layers or ())
    answer = _respond(shown, if_none_match, exclude=None if has_tokens else {"layers": {"__all__": {"tokens"}}})
    return _packed(answer) if "gzip" in request.headers.get("Accept-Encoding", "") else answer


def _packed(answer: Response) -> Response:
    """Pack an answer that has a body: a thousand labels and hundreds of layers are most of what a page loads."""
    if answer.body:
        answer.body = gzip.compress(answer.body, mtime=0)
        answer.headers["Content-Length"] = str(len(answer.body))
        answer.headers["Content-Encoding"] = "gzip"
        answer.headers["Vary"] = "Accept-Encoding"
    return answer


def _respond(answer: BaseModel, if_none_match: str | None, exclude: dict[str, Any] | None = None) -> Response:
    """Return a response that may change when workers with other models have started."""
    content = answer.model_dump_json(exclude=exclude).encode()
    return checked_response(content, "application/json", if_none_match=if_none_match)


def _summary(card: ModelCard, links: Links) -> ModelSummary:
    return ModelSummary(
        **card.model_dump(exclude={"labels", "layers"}), classes=len(card.labels), link=links.model(card.name)
    )
