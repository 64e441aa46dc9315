"""Photographs of an evaluation, with their targets: items of its log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from torch import Tensor

from ep_core.evaluation.run import Record
from ep_core.extremal.search import SEARCH_SETTINGS
from ep_core.models.classifier import Classifier
from ep_core.pictures.photographs import load
from ep_core.schemas.specs import ExtremalSpec, Fit, SpatialSpec


@dataclass(frozen=True)
class Subject:
    """A photograph that is measured."""

    path: Path
    key: str
    """Its name in logs and of its pictures: the file's stem, and the start of its content's SHA-256."""

    def network_input(self, model: Classifier, fit: Fit) -> Tensor:
        """Return the photograph as the network's input: 1 x 3 x H x W, on its device."""
        return model.preprocess(load(self.path), fit)[0]


def subjects(paths: Sequence[Path]) -> list[Subject]:
    """Return the photographs in their order, copies of the same file once."""
    found: dict[str, Subject] = {}
    for path in paths:
        key = f"{path.stem}-{sha256(path.read_bytes()).hexdigest()[:8]}"
        found.setdefault(key, Subject(path, key))
    return list(found.values())


def settings_of(model: Classifier, spec: SpatialSpec, **more: Any) -> Record:
    """Return the settings of a photograph's record, without seed and layer; the class is always its top one."""
    beside = {"check_extremality", "alternatives", "contrast", "white_level"}
    asked = spec.model_dump(mode="json", exclude={"task", "model", "methods", "target", "seed", "layer", *beside})
    if isinstance(spec, ExtremalSpec) and spec.preset == "fast":
        asked["search"] = SEARCH_SETTINGS
    return {"model": model.name, "weights_digest": model.weights_digest, **asked, **more}
