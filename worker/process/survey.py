"""The layers of the models on offer, found in idle moments and published for the API."""

from __future__ import annotations

import threading
from pathlib import Path

import structlog
from redis import Redis

from ep_core.models import Classifier
from ep_core.models.sources.survey import survey_layers
from ep_core.schemas.model_card import ListedLayer, ModelCard
from ep_core.schemas.specs import DEFAULT_MODEL
from worker.broker import catalogue
from worker.broker.queue import REDIS_UNUSABLE

from .activity import Activity

LOOK_S = 0.5  # between checks whether a running job has ended

log = structlog.get_logger(__name__)


def publish_found(redis: Redis, model: Classifier) -> None:
    """Publish the layers of a loaded model; where that fails, its jobs go on without."""
    try:
        catalogue.publish_layers(redis, model.name, model.layers)
    except REDIS_UNUSABLE as error:
        log.warning("layers not published", model=model.name, reason=str(error))
    except Exception as error:  # from the network's own code
        log.info("no layers found", model=model.name, reason=f"{type(error).__name__}: {error}")


def run_survey(
    redis: Redis, cards: list[ModelCard], models_file: Path | None, activity: Activity, ending: threading.Event
) -> None:
    """Find the layers of the models in `cards` without loading their weights, while no job runs.

    What is found is noted in `cards` too, to be published again where Redis has lost it. Models of the operator's own
    code, or in a file, are left out: their layers are known once they are loaded.
    """
    for k in sorted(range(len(cards)), key=lambda k: cards[k].name != DEFAULT_MODEL):
        while activity.job is not None and not ending.is_set():
            ending.wait(LOOK_S)
        if ending.is_set():
            return
        layers = _layers(cards[k], models_file)
        if layers is None:
            continue
        cards[k] = cards[k].model_copy(update={"layers": layers})
        try:
            catalogue.publish_layers(redis, cards[k].name, layers)
        except REDIS_UNUSABLE:
            continue  # published with the cards, once Redis is back


def _layers(card: ModelCard, models_file: Path | None) -> tuple[ListedLayer, ...] | None:
    try:
        return survey_layers(card, models_file=models_file)
    except Exception as error:  # some networks can't be made without memory
        log.debug("no layers found", model=card.name, reason=f"{type(error).__name__}: {error}")
        return None
