"""Interface of a source of networks: a description without weights, and the network with them."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from ep_core.errors import ModelUnavailable
from ep_core.models.preprocessing import Preprocessing
from ep_core.models.runtime.backend_flags import random_numbers
from ep_core.schemas.model_card import CLASS_TARGETS, Head, TargetKind
from ep_core.schemas.trained import WeightFacts

from .checkpoint import load_weights
from .model_list import ModelEntry
from .table import SOURCES


class Description(NamedTuple):
    """Description of a model whose weights are not loaded."""

    preprocessing: Preprocessing
    labels: tuple[str, ...]
    weights: str | None
    outputs: Head | None = None
    """The head that the network was trained with, where its source says so."""
    targets: tuple[TargetKind, ...] = CLASS_TARGETS
    """Kinds of target that it takes."""
    facts: WeightFacts = WeightFacts()
    """Size and accuracy of the weights, and whether they are here; nothing is fetched to find out."""


class Built(NamedTuple):
    """A network with its weights."""

    network: nn.Module
    digest: str | None = None
    """Digest of the file that the weights come from; None: that of the entry's `file`, else of the state dict."""


class NetworkSource(ABC):
    """A source of networks. A class a file; `table.py` lists them, and the keys that an entry of each has."""

    @abstractmethod
    def describe(self, entry: ModelEntry) -> Description | None:
        """Return the source's own description of an entry's model; None where only the entry has one.

        Raises:
            UnknownName: the source has no such model or weights.
            ModelUnavailable: its package isn't installed, or its files can't be had.
            InvalidInput: its preprocessing has no equal here, or its network ends in no classes.
        """

    @abstractmethod
    def build(self, entry: ModelEntry, device: torch.device) -> Built:
        """Return the network of an entry with its weights, in evaluation mode where it has modes.

        Args:
            entry: of the model list; its `file` exists, and has the hash that the entry gives.
            device: the one that it is meant for. It may still be on another.

        Raises:
            ModelUnavailable: the weights can't be had, or don't fit. Errors of a library's own code pass through.
        """

    def bare(self, entry: ModelEntry) -> nn.Module | None:
        """Return the network of an entry without trained weights; None where that runs code that isn't a library's."""
        return None

    def version(self, entry: ModelEntry) -> str:
        """Return what the layers of an entry's network depend on beside the entry and the versions of libraries."""
        return ""


def source_of(entry: ModelEntry) -> NetworkSource:
    """Return the source of an entry's network."""
    module, _, name = SOURCES[entry.source].loader.partition(":")
    source: NetworkSource = getattr(importlib.import_module(module), name)()
    return source


def built(make: Callable[[], nn.Module], file: Path | None) -> Built:
    """Return a network that is made by a function, with the weights of a checkpoint if there is a file."""
    with random_numbers:
        network = make()
    if file:
        load_weights(network, file)
    return Built(network.eval())


def missing_extra(extra: str, what: str) -> ModelUnavailable:
    """Return the error of an optional package that isn't installed.

    Args:
        extra: of this package, that installs it.
        what: it is needed for, in the plural.
    """
    return ModelUnavailable(f"{what} need the extra `{extra}`: pip install 'extremal-perturbations[{extra}]'")
