"""The models on offer, as the operator's list says at the moment: a changed list needs no restart."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import structlog
from redis import Redis

from ep_core.errors import InvalidInput, ModelUnavailable, UnknownName
from ep_core.models import Classifier
from ep_core.models.sources.catalogue import list_models
from ep_core.models.sources.list_versions import ListVersions
from ep_core.schemas.model_card import ModelCard
from worker.broker import catalogue
from worker.broker.queue import REDIS_UNUSABLE
from worker.broker.reuse import KnownResults

from .activity import LOADING_S, Activity
from .interrupts import ShuttingDown
from .runtime import Runtime
from .survey import run_survey

LOOK_S = 2.0
LATE_S = 180.0  # a changed list reaches the machines of a cluster one after the other

log = structlog.get_logger(__name__)


class ListedModels:
    """The models of the operator's list, published, and published again where the list has changed.

    Args:
        redis: where to.
        models_file: the list; None: the models that torchvision offers, which stay.
        cards: of the models as they are now.
        results: those of a changed model are given no more.
    """

    def __init__(
        self, redis: Redis, models_file: Path | None, cards: Sequence[ModelCard], results: KnownResults
    ) -> None:
        self._redis = redis
        self._models_file = models_file
        self._versions = ListVersions(models_file) if models_file is not None else None
        self._known: Mapping[str, str] = self._versions.now() if self._versions is not None else {}
        self._changed: set[str] = set()
        self._results = results
        self.cards = list(cards)

    def publish(self) -> None:
        """Publish them."""
        catalogue.publish(self._redis, self.cards)

    def watch(self, activity: Activity, ending: threading.Event) -> None:
        """Look at the list now and then, until `ending` is set, and find the layers of what is new on it."""
        self._survey(activity, ending)
        while not ending.wait(LOOK_S):
            try:
                if self.read_again():
                    self._survey(activity, ending)
            except (InvalidInput, ModelUnavailable) as error:
                log.error("the changed model list can't be used, the last one stays", reason=str(error))
            except REDIS_UNUSABLE as error:
                log.debug("models not published, Redis is away", error=str(error))

    def read_again(self) -> bool:
        """Publish the models anew where the list, or a file that it names, has changed; returns whether it has.

        Raises:
            InvalidInput, ModelUnavailable: the list is wrong; said once for each change.
            redis.RedisError: one of `REDIS_UNUSABLE`; the next call tries it again.
        """
        self._read()
        if not self._changed:
            return False
        self._results.forget_models(sorted(self._changed))
        self.publish()
        log.info("model list read again", models=len(self.cards), changed=sorted(self._changed))
        self._changed.clear()
        return True

    def _read(self) -> None:
        versions = self._versions.now() if self._versions is not None else self._known
        if versions is self._known:
            return
        before, self._known = self._known, versions
        self.cards = list_models(self._models_file)
        self._changed |= {name for name in [*before, *versions] if before.get(name) != versions.get(name)}

    def _survey(self, activity: Activity, ending: threading.Event) -> None:
        arguments = (self._redis, self.cards, self._models_file, activity, ending)
        threading.Thread(target=run_survey, args=arguments, name="survey", daemon=True).start()


def get_model(runtime: Runtime, name: str, *, go_on: Callable[[], None]) -> Classifier:
    """Return a model, loading it where it isn't loaded; one that only other workers' lists have yet is waited for.

    Args:
        runtime: the worker's.
        name: the model's.
        go_on: raises where the job has ended meanwhile.

    Raises:
        UnknownName, ModelUnavailable: as `WarmModels.get`.
        ShuttingDown: the worker has to end first.
    """
    late = time.monotonic() + LATE_S
    while True:
        runtime.activity.allow(LOADING_S)
        try:
            return runtime.models.get(name)
        except UnknownName:
            if time.monotonic() > late or not runtime.is_offered(name):
                raise
        if runtime.activity.must_stop:
            raise ShuttingDown
        go_on()
        time.sleep(LOOK_S)
