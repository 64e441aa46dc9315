"""torchvision, imported without torch's compiler.

Its RoI align imports ``torch._dynamo`` for a function that says whether a device can compile (torchvision 0.29). No
classifier calls it, and the compiler takes as much CPU time to import as torch itself.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

_COMPILER = "torch._dynamo.utils"


class _Deferred(ModuleType):
    """A module of torch's compiler that is imported when a function of it is called, or another name is read."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # `inspect` looks for files
            raise AttributeError(name)
        if name == "is_compile_supported":
            return lambda *arguments: getattr(_real(), name)(*arguments)
        return getattr(_real(), name)


def _real() -> ModuleType:
    if isinstance(sys.modules.get(_COMPILER), _Deferred):
        del sys.modules[_COMPILER]
    return importlib.import_module(_COMPILER)


def _import_torchvision() -> ModuleType:
    if "torchvision" in sys.modules or "torch._dynamo" in sys.modules:
        return importlib.import_module("torchvision")
    sys.modules[_COMPILER] = _Deferred(_COMPILER)
    try:
        return importlib.import_module("torchvision")
    finally:
        if isinstance(sys.modules.get(_COMPILER), _Deferred):
            del sys.modules[_COMPILER]


torchvision: Any = _import_torchvision()
