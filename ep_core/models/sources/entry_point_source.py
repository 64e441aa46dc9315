"""The operator's own functions as a source."""

from __future__ import annotations

import importlib
from operator import attrgetter

from torch import nn

from ep_core.errors import ModelUnavailable

from .interface import NetworkSource
from .model_list import ModelEntry


class EntryPoint(NetworkSource):
    """Networks that a function returns: `entry_point` of an entry."""

    def describe(self, entry: ModelEntry) -> None:
        """Return None: only the entry has labels and preprocessing."""

    def architecture(self, entry: ModelEntry) -> nn.Module:
        """Return what the function returns for the entry's arguments."""
        module_name, _, path = str(entry.entry_point).partition(":")
        function = attrgetter(path)(importlib.import_module(module_name))
        network = function(**entry.kwargs)
        if not isinstance(network, nn.Module):
            raise ModelUnavailable(f"{entry.entry_point} must return a torch.nn.Module, not {type(network).__name__}")
        return network
