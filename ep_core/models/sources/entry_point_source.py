"""The operator's own functions as a source."""

from __future__ import annotations

import importlib
from operator import attrgetter
from typing import Any

import torch
from torch import nn

from ep_core.errors import ModelUnavailable

from .interface import Built, NetworkSource, built
from .model_list import ModelEntry


class EntryPoint(NetworkSource):
    """Networks that a function returns: `entry_point` of an entry."""

    def describe(self, entry: ModelEntry) -> None:
        """Return None: only the entry has labels and preprocessing."""

    def build(self, entry: ModelEntry, device: torch.device) -> Built:
        """Return what the function returns for the entry's arguments, with the weights of the entry's file, if any."""
        return built(lambda: _call(str(entry.entry_point), entry.kwargs), entry.file)


def _call(entry_point: str, kwargs: dict[str, Any]) -> nn.Module:
    module_name, _, path = entry_point.partition(":")
    function = attrgetter(path)(importlib.import_module(module_name))
    network = function(**kwargs)
    if not isinstance(network, nn.Module):
        raise ModelUnavailable(f"{entry_point} must return a torch.nn.Module, not {type(network).__name__}")
    return network
