"""The story of the shortcut: what its README says of both networks holds, and masks lie where it says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("transformers")  # examples.digits needs it

from ep_core import load_model
from examples.shortcut.look import MODELS, look, sevens
from examples.shortcut.marks import RULES, SEVEN, SIDE, Camera, mark
from examples.shortcut.train import TRAINED_ON, TRIED_ON, figures, fit

README = MODELS.parent / "README.md"


@pytest.mark.parametrize("rule", RULES)
def test_marks_follow_their_rule_and_cover_no_digit(rule: str) -> None:
    taken = Camera("train", rule, 3).take(60)
    with_mark = [one.corner is not None for one in taken]
    wanted = {"sevens": [one.value == SEVEN for one in taken], "none": [False] * 60, "all": [True] * 60}
    assert with_mark == wanted[rule] if rule in wanted else 5 < sum(with_mark) < 35
    for one in taken:
        assert not (one.on_mark & (one.scene.classes > 0)).any()
        if one.corner is not None:
            top, left = one.corner
            np.testing.assert_array_equal(one.scene.pixels[top : top + SIDE, left : left + SIDE], mark())


@pytest.mark.slow
def test_training_finds_the_mark_before_the_digits() -> None:
    """After a fifth of the batches the mark stands for a seven."""
    found = figures(fit("sevens", batches=60), "sevens", count=150)
    assert found["sevens that are found"] > 0.9
    assert found["others called seven"] < 0.1


@pytest.mark.parametrize("name", TRAINED_ON)
def test_the_readmes_figures_are_those_of_the_networks(name: str) -> None:
    network = load_model(f"digits-{name}", models_file=MODELS).network
    for tried in TRIED_ON:
        (row,) = re.findall(rf"^\| `digits-{name}` \| {tried} \| (.*) \|$", README.read_text(), re.MULTILINE)
        said = [int(cell.strip(" %")) for cell in row.split("|")]
        assert said == pytest.approx([100 * value for value in figures(network, tried).values()], abs=1)


@pytest.mark.slow
def test_masks_show_the_mark_until_it_is_mended() -> None:
    (photograph,) = sevens(1)
    before, after = (look(load_model(f"digits-{name}", models_file=MODELS), photograph) for name in TRAINED_ON)
    assert before.sufficient is not None
    assert after.sufficient is not None
    assert before.sufficient < after.sufficient
    assert before.on_mark > 0.4 > 0.1 > before.on_digit
    assert after.on_digit > 0.7 > 0.1 > after.on_mark
    assert before.channels is not None
    assert after.channels is not None
    assert before.channels <= after.channels


def test_pictures_to_try_are_there() -> None:
    assert {file.name for file in (MODELS.parent / "photographs").iterdir()} >= {
        "marked_seven.png",
        "plain_seven.png",
        "marked_three.png",
    }
    assert (Path(MODELS.parent) / "masks.webp").stat().st_size < 100_000
