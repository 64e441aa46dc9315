"""`/v1/models`: the models on offer."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import BaseModel

from ep_core.schemas.model_card import ModelCard
from ep_core.schemas.specs import DEFAULT_MODEL
from service.deps import LinksDep, RedisDep
from service.http.caching import NOT_MODIFIED, IfNoneMatch
from service.http.errors import NotFound, Unavailable
from service.http.links import Links
from service.http.packing import AcceptEncoding, pack, packed_response
from service.http.problems import problem_responses
from worker.broker import catalogue
from worker.broker.liveness import live_workers

from .names import NAME, ModelName
from .schemas import ModelList, ModelRead, ModelSummary
from .service import model_at

router = APIRouter(prefix="/v1/models", tags=["models"])


@router.get(
    "",
    summary="List the models",
    response_model=ModelList,
    responses={304: NOT_MODIFIED, **problem_responses(Unavailable)},
)
def get_models(
    redis: RedisDep, links: LinksDep, if_none_match: IfNoneMatch = None, accept_encoding: AcceptEncoding = ""
) -> Response:
    """List the models that the workers offer."""
    listed = [_summary(card, links) for card in catalogue.cards(redis)]
    return _respond(ModelList(default=DEFAULT_MODEL, models=listed), if_none_match, accept_encoding)


@router.get(
    f"/{NAME}",
    summary="Read a model",
    response_model=ModelRead,
    responses={304: NOT_MODIFIED, **problem_responses(NotFound, Unavailable)},
)
def get_model(
    name: ModelName,
    redis: RedisDep,
    links: LinksDep,
    if_none_match: IfNoneMatch = None,
    accept_encoding: AcceptEncoding = "",
) -> Response:
    """Return a model with its class labels, its layers that have channels, and the perturbations that it takes."""
    card = model_at(redis, name)
    shown = ModelRead(
        **_summary(card, links).model_dump(),
        labels=card.labels,
        layers=card.layers,
        perturbations=card.perturbations,
        ready=live_workers(redis) > 0,
    )
    return _respond(shown, if_none_match, accept_encoding)


def _respond(answer: BaseModel, if_none_match: str | None, accept_encoding: str) -> Response:
    """Return a response that may change when workers with other models have started.

    Labels and layers are a large part of what a page loads, and packed a fifth of that.
    """
    content = pack(answer.model_dump_json().encode(), "application/json")
    return packed_response(content, if_none_match=if_none_match, accept_encoding=accept_encoding)


def _summary(card: ModelCard, links: Links) -> ModelSummary:
    told = card.model_dump(exclude={"labels", "layers", "perturbations"})
    return ModelSummary(**told, classes=len(card.labels), link=links.model(card.name))
