"""Cache of the models that a worker keeps loaded."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

import ep_core
from ep_core.errors import InvalidInput
from ep_core.models import Classifier
from ep_core.models.runtime.memory import free_memory
from ep_core.models.sources.list_versions import ListVersions
from worker.observe import tracing

log = structlog.get_logger(__name__)


class WarmModels:
    """The last few models used, each version loaded once; of several threads that want one, one loads it.

    Args:
        size: how many stay loaded; the least recently used one goes before another is loaded.
        load: loads a model by its name.
        version_of: returns the version of a model as it would be loaded now, None where there is none.
        on_load: called with each model that was loaded.
        free: gives back the memory of models that were dropped.
    """

    def __init__(
        self,
        size: int,
        load: Callable[[str], Classifier],
        *,
        version_of: Callable[[str], str | None] = lambda _name: None,
        on_load: Callable[[Classifier], None] | None = None,
        free: Callable[[], object] = free_memory,
    ) -> None:
        self._size = size
        self._load = load
        self._version_of = version_of
        self._on_load = on_load
        self._free = free
        self._loaded: OrderedDict[str, tuple[Classifier, str | None]] = OrderedDict()
        self._one_at_a_time = threading.RLock()

    @classmethod
    def from_catalogue(
        cls,
        *,
        size: int,
        device: str | None,
        models_file: Path | None,
        on_load: Callable[[Classifier], None] | None = None,
        free: Callable[[], object] = free_memory,
    ) -> WarmModels:
        """Return an empty cache of the models that torchvision and the operator's list offer."""

        def load(name: str) -> Classifier:
            return ep_core.load_model(name, device=device, models_file=models_file)

        versions = ListVersions(models_file) if models_file is not None else None

        def version_of(name: str) -> str | None:
            with suppress(InvalidInput):  # of a list that is just being written
                return versions.now().get(name) if versions is not None else None
            return None

        return cls(size, load, version_of=version_of, on_load=on_load, free=free)

    def get(self, name: str) -> Classifier:
        """Return the model, loading it where it isn't loaded yet, or has changed since; one that is gone stays.

        Raises:
            UnknownName: there is no such model.
            ModelUnavailable: its weights can't be had, or it can't be explained.
        """
        with self._one_at_a_time:
            version = self._version_of(name)
            if name not in self._loaded or version not in (None, self._loaded[name][1]):
                self._loaded.pop(name, None)
                self._make_room()
                log.info("loading model", model=name)
                with tracing.span("load model", model=name):
                    model = self._load(name)
                self._loaded[name] = model, version
                if self._on_load is not None:
                    self._on_load(model)
            self._loaded.move_to_end(name)
            return self._loaded[name][0]

    def _make_room(self) -> None:
        dropped = len(self._loaded) >= self._size
        while len(self._loaded) >= self._size:
            self._loaded.popitem(last=False)
        if dropped:
            self._free()
