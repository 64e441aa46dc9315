"""The layers of the models on offer."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from redis import Redis

from ep_core.errors import ModelUnavailable
from ep_core.models import load_model
from ep_core.models.sources.catalogue import list_models
from ep_core.models.sources.survey import survey_version
from ep_core.schemas.model_card import Surveyed
from worker.broker import catalogue
from worker.process import survey
from worker.process.activity import Activity
from worker.process.survey import publish_found, run_survey


def cards_of(tmp_path: Path) -> tuple[list, Path]:
    models = tmp_path / "models.toml"
    names = {"small": "mobilenet_v3_small", "mobilenet_v2": "mobilenet_v2"}
    models.write_text("".join(f'[models.{name}]\ntorchvision = "{network}"\n' for name, network in names.items()))
    return list_models(models), models


def test_layers_are_those_of_the_loaded_model(redis: Redis, tmp_path: Path):
    cards, models = cards_of(tmp_path)
    catalogue.publish(redis, cards)
    assert catalogue.get(redis, "mobilenet_v2").layers is None
    run_survey(redis, cards, models, Activity(stall_s=60), threading.Event())
    found = catalogue.get(redis, "mobilenet_v2").layers
    assert found == load_model("mobilenet_v2", device="cpu").layers
    assert catalogue.get(redis, "small").layers[-1].channels == 576
    assert catalogue.cards(redis)[0].layers is None  # the list stays light


def test_what_was_found_is_published_again_with_the_cards(redis: Redis, tmp_path: Path):
    cards, models = cards_of(tmp_path)
    run_survey(redis, cards, models, Activity(stall_s=60), threading.Event())
    redis.flushdb()
    catalogue.publish(redis, cards)
    assert catalogue.get(redis, "mobilenet_v2").layers is not None


def test_redis_keeps_what_was_found_for_the_next_start(redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    cards, models = cards_of(tmp_path)
    run_survey(redis, cards, models, Activity(stall_s=60), threading.Event())
    again = list_models(models)
    monkeypatch.setattr(survey, "survey_model", lambda card, **_: pytest.fail(f"looked at {card.name} again"))
    run_survey(redis, again, models, Activity(stall_s=60), threading.Event())
    assert again == cards
    assert again[0].layers


@pytest.mark.parametrize("changed", ["entry", "library"])
def test_another_version_is_looked_at_again(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
):
    cards, models = cards_of(tmp_path)
    catalogue.publish(redis, cards)
    run_survey(redis, cards, models, Activity(stall_s=60), threading.Event())
    if changed == "entry":
        models.write_text(models.read_text().replace("mobilenet_v3_small", "squeezenet1_1"))
    else:
        monkeypatch.setattr("ep_core.models.sources.survey.__version__", "99")
        redis.hset("ep:models:layers", "small", "[]")
    again = list_models(models)
    run_survey(redis, again, models, Activity(stall_s=60), threading.Event())
    small = catalogue.get(redis, "small").layers
    assert small
    assert (small == cards[0].layers) is (changed == "library")


def test_layers_of_a_loaded_model_are_looked_at_again_only_where_they_differ(redis: Redis, tmp_path: Path):
    cards, models = cards_of(tmp_path)
    run_survey(redis, cards, models, Activity(stall_s=60), threading.Event())
    version = survey_version(cards[0], models_file=models)
    catalogue.publish_survey(redis, "small", Surveyed(cards[0].layers, cards[0].perturbations))
    assert catalogue.survey_of(redis, "small", version) == (cards[0].layers, cards[0].perturbations)
    other = Surveyed(cards[0].layers[1:], cards[0].perturbations)  # of a worker with another list
    catalogue.publish_survey(redis, "small", other)
    assert catalogue.survey_of(redis, "small", version) is None


def test_a_job_under_way_comes_first(redis: Redis, tmp_path: Path):
    cards, models = cards_of(tmp_path)
    activity, ending = Activity(stall_s=60), threading.Event()
    activity.begin("a job", attempt=1, limit_s=60)
    catalogue.publish(redis, cards)
    thread = threading.Thread(target=run_survey, args=(redis, cards, models, activity, ending), daemon=True)
    thread.start()
    thread.join(1.0)
    assert thread.is_alive()
    assert catalogue.get(redis, "mobilenet_v2").layers is None
    activity.end()
    thread.join(60)
    assert catalogue.get(redis, "mobilenet_v2").layers


def test_a_network_that_cannot_be_surveyed_is_left_out(redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(card: object, **_: object) -> None:
        raise ModelUnavailable("no memory")

    cards, models = cards_of(tmp_path)
    monkeypatch.setattr(survey, "survey_model", fail)
    run_survey(redis, cards, models, Activity(stall_s=60), threading.Event())
    assert [card.layers for card in cards] == [None, None]


def test_a_loaded_models_layers_are_published(redis: Redis):
    class Model:
        name = "mine"
        layers = ()
        perturbations = ("blur", "fade")

    publish_found(redis, Model())
    catalogue.publish(redis, [])
    assert redis.hget("ep:models:layers", "mine") == b"[]"
    assert redis.hget("ep:models:perturbations", "mine") == b'["blur","fade"]'
