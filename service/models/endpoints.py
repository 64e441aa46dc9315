"""`/v1/models`: what can be explained here."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from ep_core.errors import UnknownName
from ep_core.models.card import ModelCard
from ep_core.spec import DEFAULT_MODEL
from service.deps import LinksDep, RedisDep
from service.errors import NotFound, Unavailable
from service.links import Links
from service.problems import problem_responses
from worker import catalogue

from .schemas import ModelList, ModelRead, ModelSummary
from .service import find_model

router = APIRouter(prefix="/v1/models", tags=["models"])


@router.get("", summary="List the models", responses=problem_responses(Unavailable))
def get_models(redis: RedisDep, links: LinksDep) -> ModelList:
    """List what the workers can explain."""
    return ModelList(default=DEFAULT_MODEL, models=[_summary(card, links) for card in catalogue.cards(redis)])


@router.get("/{name:path}", summary="Look at a model", responses=problem_responses(NotFound, Unavailable))
def get_model(
    name: Annotated[str, Path(description="May contain `:` and `/`.", examples=["mobilenet_v2"])],
    redis: RedisDep,
    links: LinksDep,
) -> ModelRead:
    """Return a model with its class labels, and its layers that have channels."""
    try:
        card = find_model(redis, name)
    except UnknownName as error:
        raise NotFound(error.detail, nearest=error.nearest) from error
    return ModelRead(**_summary(card, links).model_dump(), labels=card.labels, layers=card.layers)


def _summary(card: ModelCard, links: Links) -> ModelSummary:
    return ModelSummary(
        **card.model_dump(exclude={"labels", "layers"}), classes=len(card.labels), link=links.model(card.name)
    )
