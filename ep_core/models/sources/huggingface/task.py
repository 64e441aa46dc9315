"""Interface of a task of transformers' networks, as its classes' names end in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ep_core.models.sources.interface import Built, Description
from ep_core.models.sources.model_list import ModelEntry


class Task(ABC):
    """A kind of networks that can be explained. Each method gets an entry, the folder of its files and its config."""

    gives_embeddings = False
    """True for outputs that are embeddings."""

    @abstractmethod
    def takes(self, architecture: str) -> bool:
        """Return whether a class of transformers, by its name, is of this kind."""

    @abstractmethod
    def describe(self, entry: ModelEntry, folder: Path, config: Any) -> Description:
        """Return the description of a network whose weights aren't there yet."""

    @abstractmethod
    def build(self, entry: ModelEntry, folder: Path, config: Any, device: torch.device) -> Built:
        """Return the network N x 3 x H x W -> N x C with its weights."""

    @abstractmethod
    def bare(self, entry: ModelEntry, config: Any) -> nn.Module:
        """Return the network without trained weights."""
