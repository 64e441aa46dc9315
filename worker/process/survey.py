"""The layers and perturbations of the models on offer, found in idle moments and published for the API."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog
from redis import Redis

from ep_core.models import Classifier
from ep_core.models.sources.survey import survey_model, survey_version
from ep_core.schemas.model_card import ModelCard, Surveyed
from ep_core.schemas.specs import DEFAULT_MODEL
from worker.broker import catalogue
from worker.broker.queue import REDIS_UNUSABLE

from .activity import Activity

LOOK_S = 0.5  # between checks whether a running job has ended

log = structlog.get_logger(__name__)


def publish_found(redis: Redis, model: Classifier) -> None:
    """Publish what a loaded model's network shows; where that fails, its jobs go on without."""
    try:
        catalogue.publish_survey(redis, model.name, Surveyed(model.layers, model.perturbations))
    except REDIS_UNUSABLE as error:
        log.warning("layers not published", model=model.name, reason=str(error))
    except Exception as error:  # from the network's own code
        log.info("no layers found", model=model.name, reason=f"{type(error).__name__}: {error}")


def publish_loaded(redis: Redis, model: Classifier) -> None:
    """Publish that a loaded model's weights are here; where that fails, they are said to be missing for a while."""
    with suppress(*REDIS_UNUSABLE):
        catalogue.publish_loaded(redis, model.name)


def run_survey(
    redis: Redis, cards: list[ModelCard], models_file: Path | None, activity: Activity, ending: threading.Event
) -> None:
    """Find the layers and perturbations of the models in `cards` without their weights, while no job runs.

    What is found is noted in `cards` too, to be published again where Redis has lost it. Redis keeps it for the next
    start, which looks at other versions only. Models of the operator's own code, or in a file, are left out: their
    layers are known once they are loaded.
    """
    for k in sorted(range(len(cards)), key=lambda k: cards[k].name != DEFAULT_MODEL):
        try:
            found = _survey(redis, cards[k], models_file, lambda: _idle(activity, ending))
        except Exception as error:  # some networks can't be made without memory
            log.debug("no layers found", model=cards[k].name, reason=f"{type(error).__name__}: {error}")
            continue
        if ending.is_set():
            return
        if found is not None:
            cards[k] = cards[k].model_copy(update=found._asdict())


def _idle(activity: Activity, ending: threading.Event) -> bool:
    """Return True once no job runs, False once the worker ends."""
    while activity.job is not None and not ending.is_set():
        ending.wait(LOOK_S)
    return not ending.is_set()


def _survey(redis: Redis, card: ModelCard, models_file: Path | None, idle: Callable[[], bool]) -> Surveyed | None:
    """Return what Redis knows of a model, else what its network shows, which is published then."""
    version = survey_version(card, models_file=models_file)
    with suppress(*REDIS_UNUSABLE):
        known = catalogue.survey_of(redis, card.name, version)
        if known is not None:
            return known
    found = survey_model(card, models_file=models_file) if idle() else None
    if found is not None:
        with suppress(*REDIS_UNUSABLE):  # published with the cards, once Redis is back
            catalogue.publish_survey(redis, card.name, found, version=version)
    return found
