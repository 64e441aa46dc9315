"""Fixtures of the tests of Hugging Face: tiny networks in their folders, and an empty cache of the Hub."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ep_core.models import Classifier, load_model
from tests.unit.ep_core.models.tiny_transformers import FOLDERS

from .loading import TEXTS


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all networks, and a model list that names them."""
    root = tmp_path_factory.mktemp("transformers")
    with torch.random.fork_rng():
        for name, make in FOLDERS.items():
            torch.manual_seed(1)
            make(root / name)
    entries = {name: f'[models.{name}]\nhuggingface = "{name}"' for name in FOLDERS}
    for name in ("clip", "siglip"):
        entries[name] += f"\ntexts = {json.dumps(TEXTS)}"
    (root / "models.toml").write_text("\n".join(entries.values()))
    return root


@pytest.fixture
def load(folders: Path) -> Callable[[str], Classifier]:
    """A function that loads one of the networks by the list."""
    return lambda name: load_model(name, device="cpu", models_file=folders / "models.toml")


@pytest.fixture
def copied(folders: Path, tmp_path: Path) -> Callable[[str], Path]:
    """A function that returns a copy of a network's folder."""
    return lambda name: Path(shutil.copytree(folders / name, tmp_path / name))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The Hub's cache, empty, and no way to the Hub."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"
