"""Layers of a model and the perturbations that it takes, found without its weights and without memory for them."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from ep_core.models.layers import find_layers
from ep_core.models.registry import find_entry
from ep_core.models.runtime.backend_flags import quietly
from ep_core.models.sources.describe import describe
from ep_core.models.tokens.find import perturbations_of
from ep_core.schemas.model_card import ModelCard, Surveyed
from ep_core.version import __version__

from .interface import source_of

_PACKAGES = ("torch", "torchvision", "timm", "transformers", "open_clip_torch")


def survey_model(card: ModelCard, *, models_file: Path | None = None) -> Surveyed | None:
    """Return what the network of a library's model shows; None for the operator's own networks.

    Args:
        card: of the model.
        models_file: the operator's model list, if the card comes from it.

    Raises:
        UnknownName, InvalidInput: as `find_entry`. What a network's own code raises passes through.
    """
    entry = find_entry(card.name, models_file=models_file)
    channels = describe(entry).preprocessing.channels
    with quietly(), torch.device("meta"):  # warnings are about weights, which nobody will see
        network = source_of(entry).bare(entry)
        if network is None:
            return None
        for module in network.modules():
            module.training = False
        layers = tuple(find_layers(network, card.input_size, channels=channels))
        return Surveyed(layers, perturbations_of(network))


def survey_version(card: ModelCard, *, models_file: Path | None = None) -> str:
    """Return a hex digest that changes where `survey_model` may find something else.

    It covers this package's version, those of the libraries that make networks, and the model's entry.

    Args:
        card: of the model.
        models_file: the operator's model list, if the card comes from it.

    Raises:
        UnknownName, InvalidInput: as `find_entry`.
    """
    entry = find_entry(card.name, models_file=models_file)
    versions = [f"{name} {_version(name)}" for name in _PACKAGES]
    told = "\n".join(
        [__version__, *versions, f"{card.input_size}", entry.model_dump_json(), source_of(entry).version(entry)]
    )
    return hashlib.sha256(told.encode()).hexdigest()


@cache
def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
