"""Errors that networks and libraries raise, cut to a readable length."""

from __future__ import annotations

_MOST = 500  # characters: torch lists every key of a state dict that doesn't fit
_END = 100  # TorchScript says at the end what went wrong


def brief(error: Exception) -> str:
    """Return an error's type and text in one line, without its middle where that is long."""
    text = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return text if len(text) <= _MOST else f"{text[: _MOST - _END - 5]} ... {text[-_END:]}"
