"""Model lists, and the operator's own network in one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from ep_core.models import Classifier, load_model

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def models_file() -> Iterator[Path]:
    """The model list beside this file; its entry point can be imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(HERE)
        yield HERE / "models.toml"


@pytest.fixture(scope="session")
def efficientnet(models_file: Path) -> Classifier:
    """The operator's own network, loaded by its entry point."""
    return load_model("efficientnet-lite0", device="cpu", models_file=models_file)


@pytest.fixture
def write_list(tmp_path: Path) -> Callable[[str], Path]:
    """A function that writes a model list with one entry, `mine`, and returns its path."""

    def write(entry: str) -> Path:
        path = tmp_path / "models.toml"
        path.write_text(f"[models.mine]\n{entry}\n", encoding="utf-8")
        return path

    return write


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)
