"""Construction of the network of a model list's entry, with its weights."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from ep_core.errors import InvalidInput, ModelUnavailable
from ep_core.models.checks.brief import brief

from .interface import source_of
from .model_list import ModelEntry
from .own_outputs import explained_as
from .weights import file_digest, state_digest


def build_network(entry: ModelEntry, device: torch.device) -> tuple[nn.Module, str]:
    """Return an entry's network on `device`, in evaluation mode where it has modes, and the digest of its weights.

    The digest is that of the file where the weights come as one, else that of the state dict.

    Raises:
        ModelUnavailable: the weights can't be had or fail their hash, or the network can't be made from them.
    """
    try:
        of_file = _checked_digest(entry.file, entry.sha256) if entry.file else None
        network, digest = source_of(entry).build(entry, device)
        digest = digest or of_file or state_digest(network)
        return explained_as(network, entry.outputs, entry.labels or ()).to(device), digest
    except (InvalidInput, ModelUnavailable):
        raise
    except Exception as error:  # from the code of a library, or the operator's own
        raise ModelUnavailable(f"the network can't be made: {brief(error)}") from error


def _checked_digest(file: Path, expected: str | None) -> str:
    try:
        digest = file_digest(file)
    except OSError as error:
        raise ModelUnavailable(f"the weights {file} can't be read: {error}") from error
    if expected and digest != f"sha256:{expected}":
        raise ModelUnavailable(f"the weights {file} are not those of the model list: their digest is {digest}")
    return digest
