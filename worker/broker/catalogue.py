"""Catalogue of the workers' models, published in Redis for the API. Imports no torch.

Cards lie in one hash; label lists, which most ImageNet models share, once each in another, by digest; layers, which
are found later and read for one model at a time, in a third, and the perturbations found with them in a fourth. A
fifth has the version of a model and of its libraries that both are of. A set has the models that were loaded since:
their weights are here by now.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, cast

from pydantic_core import from_json, to_json
from redis import Redis

from ep_core.schemas.model_card import ListedLayer, ModelCard, Surveyed

_CARDS = "ep:models"
_LABELS = "ep:models:labels"
_LAYERS = "ep:models:layers"
_PERTURBATIONS = "ep:models:perturbations"
_VERSIONS = "ep:models:layers:versions"
_LOADED = "ep:models:loaded"


def publish(redis: Redis, cards: Iterable[ModelCard]) -> None:
    """Replace the published models by `cards`, in one step; what a survey finds and a card doesn't know stays."""
    stored: dict[Any, Any] = {}
    labels: dict[Any, Any] = {}
    layers: dict[Any, Any] = {}
    perturbations: dict[Any, Any] = {}
    for card in cards:
        listed = to_json(card.labels)
        digest = hashlib.sha256(listed).hexdigest()
        labels[digest] = listed
        told = card.model_dump(mode="json", exclude={"layers", "perturbations"})
        stored[card.name] = to_json(told | {"labels": digest})
        if card.layers is not None:
            layers[card.name] = to_json(card.layers)
        if card.perturbations is not None:
            perturbations[card.name] = to_json(card.perturbations)
    with redis.pipeline() as pipeline:
        pipeline.delete(_CARDS, _LOADED)
        if stored:
            pipeline.hset(_CARDS, mapping=stored)
            pipeline.hset(_LABELS, mapping=labels)  # old lists stay: they are few, and someone may just be reading one
        if layers:
            pipeline.hset(_LAYERS, mapping=layers)
        if perturbations:
            pipeline.hset(_PERTURBATIONS, mapping=perturbations)
        pipeline.execute()


def publish_loaded(redis: Redis, name: str) -> None:
    """Say that a model was loaded, so that its weights are here."""
    redis.sadd(_LOADED, name)


def publish_survey(redis: Redis, name: str, found: Surveyed, *, version: str | None = None) -> None:
    """Say which layers of a model have channels, and which perturbations it takes.

    Args:
        redis: where to.
        name: of the model.
        found: what its network shows.
        version: of the model and its libraries, for `survey_of`; None keeps the one that is known of the same layers.
    """
    listed, taken = to_json(found.layers), to_json(found.perturbations)
    if version is None and redis.hget(_LAYERS, name) == listed and redis.hget(_PERTURBATIONS, name) == taken:
        return
    with redis.pipeline() as pipeline:
        pipeline.hset(_LAYERS, name, listed.decode())
        pipeline.hset(_PERTURBATIONS, name, taken.decode())
        if version is None:
            pipeline.hdel(_VERSIONS, name)
        else:
            pipeline.hset(_VERSIONS, name, version)
        pipeline.execute()


def survey_of(redis: Redis, name: str, version: str) -> Surveyed | None:
    """Return what was published of this version of a model; None where it was of another, or never."""
    with redis.pipeline() as pipeline:
        pipeline.hget(_VERSIONS, name)
        pipeline.hget(_LAYERS, name)
        pipeline.hget(_PERTURBATIONS, name)
        known, listed, taken = pipeline.execute()
    if listed is None or taken is None or known != version.encode():  # earlier versions knew layers alone
        return None
    return Surveyed(tuple(ListedLayer.model_validate(layer) for layer in from_json(listed)), tuple(from_json(taken)))


def names(redis: Redis) -> list[str]:
    """Return the names of the published models, sorted; empty before the first worker has started."""
    return sorted(name.decode() for name in cast("list[bytes]", redis.hkeys(_CARDS)))


def get(redis: Redis, name: str) -> ModelCard | None:
    """Return a model's card, or None where no worker offers that name."""
    stored = cast("bytes | None", redis.hget(_CARDS, name))
    if stored is None:
        return None
    card = from_json(stored)
    labels = cast("bytes", redis.hget(_LABELS, card["labels"]))
    layers, perturbations = (cast("bytes | None", redis.hget(key, name)) for key in (_LAYERS, _PERTURBATIONS))
    found = {"layers": layers and from_json(layers), "perturbations": perturbations and from_json(perturbations)}
    if redis.sismember(_LOADED, name):
        found["weights_here"] = True
    return ModelCard.model_validate(card | {"labels": from_json(labels)} | found)


def outline(redis: Redis, name: str) -> ModelCard | None:
    """Return a model's card without its labels, in one call to Redis; None as for `get`."""
    with redis.pipeline(transaction=False) as pipeline:
        pipeline.hget(_CARDS, name)
        pipeline.hget(_LAYERS, name)
        stored, layers = pipeline.execute()
    if stored is None:
        return None
    return ModelCard.model_validate(from_json(stored) | {"labels": (), "layers": layers and from_json(layers)})


def cards(redis: Redis) -> list[ModelCard]:
    """Return all cards, by name, without what a survey finds; three calls to Redis, however many models there are."""
    stored = cast("dict[bytes, bytes]", redis.hgetall(_CARDS))
    labels = {
        key.decode(): tuple(from_json(listed))
        for key, listed in cast("dict[bytes, bytes]", redis.hgetall(_LABELS)).items()
    }
    loaded = {name.decode() for name in cast("set[bytes]", redis.smembers(_LOADED))}
    parsed = [from_json(card) for _, card in sorted(stored.items())]
    return [
        ModelCard.model_validate(
            card
            | {"labels": labels[card["labels"]], "weights_here": card["name"] in loaded or card.get("weights_here")}
        )
        for card in parsed
    ]
