"""Catalogue of the models that can be explained here, without loading any weights."""

from __future__ import annotations

import os
from pathlib import Path

from ep_core.models.checks.doubts import preprocessing_warnings
from ep_core.schemas.model_card import ModelCard, default_head

from .describe import describe
from .model_list import ModelEntry, read_model_list
from .torchvision_zoo import network_names


def list_models(models_file: str | os.PathLike[str] | None = None) -> list[ModelCard]:
    """Return the cards of the operator's models, or without a model list those of torchvision.

    Raises:
        InvalidInput: the model list is wrong.
        UnknownName: it names a model that its library doesn't have.
        ModelUnavailable: it names a model of a package that isn't installed, or of a hub that can't be reached.
    """
    if models_file is not None:
        entries = read_model_list(Path(models_file))
    else:
        entries = {name: ModelEntry(torchvision=name) for name in network_names()}
    return [_card(name, entry) for name, entry in entries.items()]


def _card(name: str, entry: ModelEntry) -> ModelCard:
    described = describe(entry)
    return ModelCard(
        name=name,
        source=entry.source,
        input_size=described.preprocessing.input_size,
        labels=described.labels,
        targets=described.targets,
        outputs=described.outputs or default_head(len(described.labels)),
        weights=described.weights,
        **described.facts._asdict(),
        description=entry.description,
        warnings=preprocessing_warnings(described.preprocessing),
    )
