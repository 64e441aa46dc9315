"""The linear head, beside scikit-learn's; its crops, by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression

from ep_core.bench.dinov2.crops import MOST, SMALLEST, read_crops, supercategories
from ep_core.bench.dinov2.head import accuracies, fit_head
from ep_core.errors import InvalidInput


def test_head_is_scikit_learns() -> None:
    torch.manual_seed(0)
    classes = torch.tensor([0] * 30 + [1] * 10 + [2] * 5)
    found = 3 + torch.randn(45, 6) * torch.tensor([1.0, 2, 3, 4, 5, 6]) + 2 * torch.nn.functional.one_hot(classes, 6)
    head = fit_head(found, classes, decay=0.05)
    standard = ((found - found.mean(0)) / found.std(0)).numpy()
    weights = (1 / classes.bincount())[classes].numpy()
    theirs = LogisticRegression(C=1 / (2 * 0.05 * 3), tol=1e-8, max_iter=1000).fit(standard, classes, weights)
    expected = theirs.predict_proba(standard)
    np.testing.assert_allclose(head(found).softmax(dim=1).detach(), expected, atol=2e-3)


def test_accuracies_by_hand() -> None:
    scores = torch.tensor([[1.0, 0], [1, 0], [1, 0], [1, 0]])
    assert accuracies(torch.nn.Identity(), scores, torch.tensor([0, 0, 0, 1])) == (0.75, 0.5)


@pytest.fixture
def part(tmp_path: Path) -> tuple[Path, Path]:
    """A picture of 200 x 150 whose pixels tell their column, and objects of it."""
    pictures, instances = tmp_path / "val2017", tmp_path / "instances_val2017.json"
    pictures.mkdir()
    columns = np.broadcast_to(np.arange(200, dtype=np.uint8)[None, :, None], (150, 200, 3))
    Image.fromarray(columns).save(pictures / "a.png")
    boxes = [
        ([10, 20, 100, 80], 1, 0),
        ([0, 0, 199, 149], 1, 0),
        ([0, 0, 199, SMALLEST - 1], 2, 0),
        ([0, 0, 90, 90], 2, 1),
    ]
    told = {
        "images": [{"id": 5, "file_name": "a.png"}, {"id": 6, "file_name": "absent.png"}],
        "categories": [{"id": 1, "supercategory": "animal"}, {"id": 2, "supercategory": "food"}],
        "annotations": [
            {"image_id": 5, "bbox": box, "category_id": category, "iscrowd": crowd} for box, category, crowd in boxes
        ]
        + [{"image_id": 6, "bbox": [0, 0, 99, 99], "category_id": 2, "iscrowd": 0}],
    }
    instances.write_text(json.dumps(told))
    return pictures, instances


def test_crops_are_the_large_objects_with_a_margin(part: tuple[Path, Path]) -> None:
    crops = read_crops(*part)
    assert list(crops) == ["animal"]  # the food is too low, a crowd, or of a picture that isn't there
    largest, other = crops["animal"]
    assert largest.size == (200, 150)  # within the picture
    assert other.size == (120, 96)
    assert other.getpixel((0, 0)) == (0, 0, 0)
    assert other.getpixel((119, 0)) == (119, 119, 119)


def test_no_annotations_and_no_pictures_are_told(part: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="holds no annotations of COCO"):
        read_crops(part[0], tmp_path / "none.json")
    with pytest.raises(InvalidInput, match="has no picture of"):
        read_crops(tmp_path / "empty", part[1])


def test_classes_are_those_with_enough_crops() -> None:
    one = Image.new("RGB", (1, 1))
    train = {"few": [one] * 2, "many": [one] * MOST, "some": [one] * 5, "unseen": [one] * 9}
    held_out = {"few": [one], "many": [one], "some": [one]}
    assert supercategories(train, held_out, 3) == ["many", "some"]
