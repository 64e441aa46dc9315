"""Catalogue of the workers' models, published in Redis for the API. Imports no torch.

Cards lie in one hash; label lists, which most ImageNet models share, once each in another, by digest; layers, which
are found later and read for one model at a time, in a third. A fourth has the version of a model and of its libraries
that the layers are of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, cast

from pydantic_core import from_json, to_json
from redis import Redis

from ep_core.schemas.model_card import ListedLayer, ModelCard

_CARDS = "ep:models"
_LABELS = "ep:models:labels"
_LAYERS = "ep:models:layers"
_VERSIONS = "ep:models:layers:versions"


def publish(redis: Redis, cards: Iterable[ModelCard]) -> None:
    """Replace the published models by `cards`, in one step; layers that a card doesn't know stay."""
    stored: dict[Any, Any] = {}
    labels: dict[Any, Any] = {}
    layers: dict[Any, Any] = {}
    for card in cards:
        listed = to_json(card.labels)
        digest = hashlib.sha256(listed).hexdigest()
        labels[digest] = listed
        stored[card.name] = to_json(card.model_dump(mode="json", exclude={"layers"}) | {"labels": digest})
        if card.layers is not None:
            layers[card.name] = to_json(card.layers)
    with redis.pipeline() as pipeline:
        pipeline.delete(_CARDS)
        if stored:
            pipeline.hset(_CARDS, mapping=stored)
            pipeline.hset(_LABELS, mapping=labels)  # old lists stay: they are few, and someone may just be reading one
        if layers:
            pipeline.hset(_LAYERS, mapping=layers)
        pipeline.execute()


def publish_layers(redis: Redis, name: str, layers: Sequence[ListedLayer], *, version: str | None = None) -> None:
    """Say which layers of a model have channels.

    Args:
        redis: where to.
        name: of the model.
        layers: of the model.
        version: of the model and its libraries, for `layers_of`; None keeps the one that is known of the same layers.
    """
    listed = to_json(layers)
    if version is None and redis.hget(_LAYERS, name) == listed:
        return
    with redis.pipeline() as pipeline:
        pipeline.hset(_LAYERS, name, listed.decode())
        if version is None:
            pipeline.hdel(_VERSIONS, name)
        else:
            pipeline.hset(_VERSIONS, name, version)
        pipeline.execute()


def layers_of(redis: Redis, name: str, version: str) -> tuple[ListedLayer, ...] | None:
    """Return the layers that were published of this version of a model; None where they were of another, or never."""
    with redis.pipeline() as pipeline:
        pipeline.hget(_VERSIONS, name)
        pipeline.hget(_LAYERS, name)
        known, listed = pipeline.execute()
    if listed is None or known != version.encode():
        return None
    return tuple(ListedLayer.model_validate(layer) for layer in from_json(listed))


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
    layers = cast("bytes | None", redis.hget(_LAYERS, name))
    return ModelCard.model_validate(card | {"labels": from_json(labels), "layers": layers and from_json(layers)})


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
    """Return all cards, by name, without layers; two calls to Redis, however many models there are."""
    stored = cast("dict[bytes, bytes]", redis.hgetall(_CARDS))
    labels = {
        key.decode(): tuple(from_json(listed))
        for key, listed in cast("dict[bytes, bytes]", redis.hgetall(_LABELS)).items()
    }
    parsed = [from_json(card) for _, card in sorted(stored.items())]
    return [ModelCard.model_validate(card | {"labels": labels[card["labels"]]}) for card in parsed]
