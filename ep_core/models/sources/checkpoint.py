"""Weights from a file as a training script left it. No code in the file is run."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ep_core.errors import ModelUnavailable
from ep_core.models.checks.brief import brief

from .file_kind import FileKind, file_kind
from .fitting import Fit, best_fit, refusal

log = logging.getLogger(__name__)

_DEEPEST = 3  # dicts inside each other
_SAVE_WEIGHTS = (
    "Where it was trained, save the weights alone by torch.save(network.state_dict(), FILE) and name their architecture"
)


class _Unread:
    """Placeholder of an object of a class that isn't torch's: its state is dropped, its class never used."""

    def __new__(cls, *_args: Any, **_kwargs: Any) -> _Unread:
        return super().__new__(cls)

    def __setstate__(self, state: Any) -> None:
        """Drop what the object held."""


def load_weights(network: nn.Module, file: Path) -> None:
    """Put the weights of a checkpoint into a network: a state dict, or a dict that holds one.

    What wrappers put before or between the keys (``module.``, ``_orig_mod.``, Lightning's ``model.``) is taken off,
    where the weights then fit. Of several state dicts that fit, a running average (`ema`) comes last.

    Raises:
        ModelUnavailable: the file isn't a checkpoint, or none of its state dicts fits; the message has the fix.
    """
    contents = _read(file)
    states = list(_state_dicts(contents))
    fits = [fit for where, state in states if (fit := best_fit(network, where, state))]
    fitting = sorted((fit for fit in fits if not fit.misfit), key=lambda fit: fit.is_average)
    if fitting:
        _tell(file, fitting)
        network.load_state_dict(fitting[0].state)
    elif not any(_loaded_by_itself(network, state) for _, state in states):
        if not states:
            raise ModelUnavailable(f"{file.name} holds {_inside(contents)}")
        raise ModelUnavailable(refusal(network, file.name, fits))


def tensors_of(file: Path) -> Iterator[dict[str, Tensor]]:
    """Yield the tensors of each state dict in a checkpoint, by their keys there.

    Raises:
        ModelUnavailable: the file isn't a checkpoint.
    """
    for _, state in _state_dicts(_read(file)):
        yield {key: value for key, value in state.items() if isinstance(value, Tensor)}


def whole_network_kind(file: Path) -> FileKind:
    """Return which kind of whole network a file holds: ``"torchscript"`` or ``"program"``.

    Raises:
        ModelUnavailable: it holds none; the message names its kind and the fix.
    """
    kind = file_kind(file)
    if kind in ("torchscript", "program"):
        return kind
    contents = _read(file)
    if next(iter(_state_dicts(contents)), None) is None:
        raise ModelUnavailable(f"{file.name} holds {_inside(contents)}")
    raise ModelUnavailable(
        f"{file.name} holds a state dict, not a whole network: name its architecture next to it, by torchvision, timm "
        "or entry_point"
    )


def _read(file: Path) -> Any:
    """Return what a checkpoint holds, an `_Unread` in place of every object that isn't a tensor or plain data."""
    kind = file_kind(file)
    if kind == "safetensors":
        return _read_safetensors(file)
    if kind != "checkpoint":
        raise ModelUnavailable(
            f"{file.name} is a whole network ({'TorchScript' if kind == 'torchscript' else 'torch.export'}), not a "
            "state dict: name the file alone, without an architecture, or save the weights by "
            "torch.save(network.state_dict(), FILE)"
        )
    unread: list[Any] = [(type(name, (_Unread,), {}), name) for name in _unknown_classes(file)]
    try:
        with torch.serialization.safe_globals(unread):
            return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ModelUnavailable(f"{file.name} {_unreadable(error)}") from error


def _unknown_classes(file: Path) -> list[str]:
    """Return the names of classes and functions that ``torch.load`` refuses in a file; none where they aren't found."""
    try:
        return sorted(torch.serialization.get_unsafe_globals_in_checkpoint(file))
    except Exception:  # saved before torch 1.6, or by other means: reading it says so
        return []


def _unreadable(error: Exception) -> str:
    text = str(error)
    name = text.partition("GLOBAL ")[2].split(" ")[0]
    if name or "Weights only load failed" in text:
        objects = f" ({name})" if name else ""
        return (
            f"holds objects beside its tensors{objects}, which are never unpickled here, as that runs code. "
            f"{_SAVE_WEIGHTS}; of a file that you trust, also by "
            'torch.save(torch.load(FILE, weights_only=False)["state_dict"], NEW_FILE)'
        )
    return f"is damaged, or not written by torch.save: {brief(error)}"


def _read_safetensors(file: Path) -> dict[str, Tensor]:
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise ModelUnavailable(f"{file.name} needs the package safetensors: pip install safetensors") from error
    try:
        return load_file(file)
    except Exception as error:
        raise ModelUnavailable(f"{file.name} is damaged or cut short: {brief(error)}") from error


def _state_dicts(contents: Any, where: str = "", depth: int = 1) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each dict that holds tensors by name, and where it lies in the file (``"ema.module"``)."""
    if not isinstance(contents, Mapping):
        return
    named = {key: value for key, value in contents.items() if isinstance(key, str)}
    if any(isinstance(value, Tensor) for value in named.values()):
        yield where, contents
    if depth <= _DEEPEST:
        for key, value in named.items():
            yield from _state_dicts(value, f"{where}.{key}".lstrip("."), depth + 1)


def _inside(contents: Any) -> str:
    """Return a description of a file without a state dict, and what to do."""
    if isinstance(contents, _Unread):
        return f"{_object(contents)}. {_SAVE_WEIGHTS}"
    if not isinstance(contents, Mapping):
        return f"a {type(contents).__name__}, not a state dict. {_SAVE_WEIGHTS}"
    entries = [f"{str(key)[:30]!r}: {_entry(value)}" for key, value in contents.items()]
    listed = ", ".join(entries[:3]) + (f" and {len(entries) - 3} more" if len(entries) > 3 else "")
    return f"no state dict, but {listed or 'an empty dict'}. {_SAVE_WEIGHTS}"


def _entry(value: Any) -> str:
    return _object(value) if isinstance(value, _Unread) else type(value).__name__


def _object(unread: _Unread) -> str:
    return f"a pickled {type(unread).__name__[:80]}, which is never unpickled here, as that runs code"


def _loaded_by_itself(network: nn.Module, state: Mapping[str, Any]) -> bool:
    """Load a state dict whose keys the network itself can translate; return whether it can."""
    try:
        network.load_state_dict(dict(state))
    except (RuntimeError, TypeError):
        return False
    return True


def _tell(file: Path, fitting: list[Fit]) -> None:
    chosen, *others = [fit.place for fit in fitting]
    log.info("%s: the weights are %s", file.name, chosen)
    if others:
        log.warning("%s: the weights are %s; %s would fit, too", file.name, chosen, ", ".join(others[:3]))
