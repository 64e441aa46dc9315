"""Methods made of flows: their names, words and arguments are written once, at the flow."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import update_wrapper
from typing import Any

_BEGINS = ("Flow[", "Feed[")


def present(method: Callable[..., Any], flow: Callable[..., Any], *, returns: str, file: str) -> None:
    """Give a method its flow's name, words and arguments, and its own return type.

    Args:
        method: what runs the flow.
        flow: the one that it runs.
        returns: what the flow's value comes as: ``{}``, ``Iterator[{}]``, ...
        file: the name of the files' class.
    """
    update_wrapper(method, flow)
    del method.__wrapped__  # type: ignore[attr-defined]  # for `inspect`, which would show the flow's return type
    signature = inspect.signature(flow)
    value = str(signature.return_annotation)
    if value.startswith(_BEGINS):
        value = value[len(_BEGINS[0]) : -1]
    shown = returns.format(value.replace("[F]", f"[{file}]"))
    method.__signature__ = signature.replace(return_annotation=shown)  # type: ignore[attr-defined]
