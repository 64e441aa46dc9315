"""Lookup of a model among those that the workers have published. Knows nothing of HTTP."""

from __future__ import annotations

from redis import Redis

from ep_core.errors import UnknownName
from ep_core.schemas.model_card import ModelCard
from ep_core.schemas.targets import nearest_names
from service.http.errors import NotFound, Unavailable
from worker.broker import catalogue


def model_at(redis: Redis, name: str) -> ModelCard:
    """Return the card of the model that an address names; raises `NotFound` where there is none, or `Unavailable`."""
    try:
        return find_model(redis, name)
    except UnknownName as error:
        raise NotFound(error.detail, nearest=error.nearest) from error


def find_model(redis: Redis, name: str) -> ModelCard:
    """Return the card of the model `name`.

    Raises:
        Unavailable: no worker has published its models yet.
        UnknownName: no worker offers that name; the error carries the nearest names.
    """
    card = catalogue.get(redis, name)
    if card is not None:
        return card
    names = catalogue.names(redis)
    if not names:
        raise Unavailable("No worker has started yet, so it isn't known which models there are. Try again soon.")
    nearest = nearest_names(name, names)
    hint = f"did you mean {', '.join(map(repr, nearest))}?" if nearest else "GET /v1/models lists what there is"
    raise UnknownName(f"there is no model {name[:200]!r}; {hint}", field="model", nearest=nearest)
