"""Construction of the network of a model list's entry, with its weights."""

from __future__ import annotations

import importlib
from operator import attrgetter
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.export.passes import move_to_device_pass

from ep_core.errors import InvalidInput, ModelUnavailable
from ep_core.models.checks.brief import brief
from ep_core.models.runtime.backend_flags import random_numbers

from .checkpoint import load_weights, whole_network_kind
from .model_list import ModelEntry
from .timm_zoo import require_timm
from .torchvision_library import torchvision
from .torchvision_zoo import pick_weights
from .weights import cached_file, file_digest, state_digest, weights_only


def build_network(entry: ModelEntry, device: torch.device) -> tuple[nn.Module, str]:
    """Return an entry's network on `device`, in evaluation mode where it has modes, and the digest of its weights.

    The digest is that of the file where the weights come as one, else that of the state dict.

    Raises:
        ModelUnavailable: the weights can't be had or fail their hash, or the network can't be made from them.
    """
    try:
        network, digest = _build(entry, device)
        return network.to(device), digest or state_digest(network)
    except (InvalidInput, ModelUnavailable):
        raise
    except Exception as error:  # from the code of a library, or the operator's own
        raise ModelUnavailable(f"the network can't be made: {brief(error)}") from error


def bare_network(entry: ModelEntry) -> nn.Module:
    """Return the architecture of an entry of torchvision or timm, without trained weights."""
    if entry.timm:
        return _timm_network(entry.timm, pretrained=False, kwargs=entry.kwargs)
    return torchvision.models.get_model(entry.torchvision, weights=None, **entry.kwargs)


def _build(entry: ModelEntry, device: torch.device) -> tuple[nn.Module, str | None]:
    digest = _checked_digest(entry.file, entry.sha256) if entry.file else None
    if entry.file and entry.source == "file":
        return _whole_network(entry.file, device), digest
    if entry.torchvision and not entry.file:
        weights = pick_weights(entry.torchvision, entry.weights)
        file = cached_file(weights.url)
        with random_numbers, weights_only():
            network = torchvision.models.get_model(entry.torchvision, weights=weights, **entry.kwargs)
        return network.eval(), file_digest(file)
    with random_numbers:
        network = _architecture(entry)
    if entry.file:
        load_weights(network, entry.file)
    return network.eval(), digest


def _architecture(entry: ModelEntry) -> nn.Module:
    """Return the network of an entry; without its trained weights where they come from a file."""
    if entry.entry_point:
        return _call(entry.entry_point, entry.kwargs)
    if entry.timm:
        return _timm_network(entry.timm, pretrained=entry.file is None, kwargs=entry.kwargs)
    return bare_network(entry)


def _timm_network(name: str, *, pretrained: bool, kwargs: dict[str, Any]) -> Any:
    try:
        with weights_only():
            return require_timm().create_model(name, pretrained=pretrained, **kwargs)
    except OSError as error:
        raise ModelUnavailable(
            f"the weights of timm's {name} can't be had from the Hugging Face Hub ({error}). Download them elsewhere "
            "and put them into its cache (HF_HOME), or name them as `file` of the model's entry in the model list"
        ) from error


def _call(entry_point: str, kwargs: dict[str, Any]) -> nn.Module:
    module_name, _, path = entry_point.partition(":")
    function = attrgetter(path)(importlib.import_module(module_name))
    network = function(**kwargs)
    if not isinstance(network, nn.Module):
        raise ModelUnavailable(f"{entry_point} must return a torch.nn.Module, not {type(network).__name__}")
    return network


def _whole_network(file: Path, device: torch.device) -> nn.Module:
    if whole_network_kind(file) == "program":
        return move_to_device_pass(torch.export.load(file), device).module()
    network: nn.Module = torch.jit.load(file, map_location=device)
    return network.eval()


def _checked_digest(file: Path, expected: str | None) -> str:
    try:
        digest = file_digest(file)
    except OSError as error:
        raise ModelUnavailable(f"the weights {file} can't be read: {error}") from error
    if expected and digest != f"sha256:{expected}":
        raise ModelUnavailable(f"the weights {file} are not those of the model list: their digest is {digest}")
    return digest
