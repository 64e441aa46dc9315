"""A pointing game with known answers: a network of three colours, small pictures, and methods that point as told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from ep_core.evaluation.data.annotations import DataSet, Scene
from ep_core.evaluation.pointing import pointing
from ep_core.evaluation.reporting.report import EvaluationReport, Table
from ep_core.methods.base.method import AttributionRequest, Method
from ep_core.models import Classifier, Preprocessing

SIDE = 48
CLASSES = {"red": (0,), "cold": (1, 2)}


@pytest.fixture
def colours() -> Classifier:
    """Scores how much red, green and blue there is; pictures whose shorter side is 48 are taken as they are."""
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    preprocessing = Preprocessing(input_size=(SIDE, SIDE), mean=(0, 0, 0), std=(1, 1, 1))
    return Classifier(network, name="colours", preprocessing=preprocessing, labels=["red", "green", "blue"])


def square(left: int, top: int, side: int = 4) -> Callable[[], np.ndarray]:
    def mask() -> np.ndarray:
        found = np.zeros((SIDE, 64), dtype=bool)
        found[top : top + side, left : left + side] = True
        return found

    return mask


@pytest.fixture
def scene(tmp_path: Path) -> Callable[..., Scene]:
    def make(name: str, colour: tuple[int, int, int] = (200, 10, 90), **objects: Callable[[], np.ndarray]) -> Scene:
        path = tmp_path / f"{name}.png"
        Image.new("RGB", (64, SIDE), colour).save(path)
        return Scene(name, path, (SIDE, 64), objects)

    return make


def pictures(*scenes: Scene) -> DataSet:
    return DataSet("colours", ("red", "cold", "person"), scenes, (0.1,))


def peaks(*points: tuple[int, int]) -> Method:
    """Points at each of some pixels for target 0, 1, ..., whatever the picture."""

    def attribute(request: AttributionRequest) -> Tensor:
        maps = torch.full((len(request.targets), *request.x.shape[2:]), -3.0)
        for map_, target in zip(maps, request.targets, strict=True):
            column, row = points[target % len(points)]
            map_[row, column] = 5
        return maps

    return Method("Peaks", "test", attribute)


def rows(table: Table) -> dict[str, dict[str, object]]:
    return {str(row[0]): dict(zip(table.columns, row, strict=True)) for row in table.rows}


def play(model: Classifier, data: DataSet, found: dict[str, Method], **options: object) -> EvaluationReport:
    return pointing(model, data, list(found), CLASSES, find=found.__getitem__, **options)  # type: ignore[arg-type]
