"""The published models."""

from __future__ import annotations

from redis import Redis

from ep_core.schemas.model_card import ModelCard
from worker.broker import catalogue

IMAGENET = tuple(f"class {index}" for index in range(1000))


def card(name: str, labels: tuple[str, ...] = IMAGENET) -> ModelCard:
    return ModelCard(name=name, source="torchvision", input_size=(224, 224), labels=labels, weights="V1")


def test_cards_come_back_whole(redis: Redis):
    cards = [card("b"), card("a", ("no", "yes", "é"))]
    catalogue.publish(redis, cards)
    assert catalogue.names(redis) == ["a", "b"]
    assert catalogue.get(redis, "b") == cards[0]
    assert catalogue.get(redis, "a") == cards[1]
    assert catalogue.cards(redis) == [cards[1], cards[0]]


def test_unknown_names_and_an_empty_catalogue(redis: Redis):
    assert catalogue.names(redis) == []
    assert catalogue.cards(redis) == []
    assert catalogue.get(redis, "a") is None


def test_another_list_replaces_the_first_and_nothing_expires(redis: Redis):
    catalogue.publish(redis, [card("a"), card("b")])
    catalogue.publish(redis, [card("c", ("x", "y"))])
    assert catalogue.names(redis) == ["c"]
    assert catalogue.get(redis, "a") is None
    assert catalogue.get(redis, "c") == card("c", ("x", "y"))
    assert {redis.ttl(key) for key in redis.scan_iter()} == {-1}
    catalogue.publish(redis, [])
    assert catalogue.cards(redis) == []


def test_a_label_list_is_stored_once_however_many_models_share_it(redis: Redis):
    catalogue.publish(redis, [card(f"model{index}") for index in range(80)])
    assert sum(redis.memory_usage(key) for key in redis.scan_iter()) < 100_000


def test_a_loaded_model_has_its_weights_here_until_the_next_list(redis: Redis):
    known = {"a": False, "b": None, "c": True}
    cards = [card(name).model_copy(update={"weights_here": here}) for name, here in known.items()]
    catalogue.publish(redis, cards)
    catalogue.publish_loaded(redis, "a")
    assert [one.weights_here for one in catalogue.cards(redis)] == [True, None, True]
    assert [catalogue.get(redis, name).weights_here for name in "abc"] == [True, None, True]
    catalogue.publish(redis, cards)
    assert [one.weights_here for one in catalogue.cards(redis)] == [False, None, True]
