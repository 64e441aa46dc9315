"""Adapters where their libraries aren't installed."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor

from ep_core import adapters

from .conftest import QUICK, TwoSpots, seen

LIBRARIES = {"captum": "captum", "grad_cam": "pytorch_grad_cam", "quantus": "quantus"}


@pytest.fixture(params=LIBRARIES)
def adapter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """An adapter, imported anew in a process that can't import its library."""
    library = LIBRARIES[request.param]
    for name in [name for name in sys.modules if name.partition(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    path = Path(adapters.__file__).parent / f"{request.param}.py"
    spec = importlib.util.spec_from_file_location(f"ep_core.adapters.{request.param}_alone", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_explains_all_the_same(adapter: ModuleType, spots: TwoSpots, images: Tensor) -> None:
    options = QUICK | {"perturbation": "fade"}
    if hasattr(adapter, "explain"):
        found = torch.from_numpy(adapter.explain(spots, images[:1], 1, **options))
    else:
        method = adapter.ExtremalPerturbation(spots, **options)
        found = method.attribute(images[:1], target=1) if hasattr(method, "attribute") else method(images[:1], [1])
    assert seen(torch.as_tensor(found)) == "right"
