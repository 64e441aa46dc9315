"""Difficult pairs of picture and category, by hand and by a list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ep_core.errors import InvalidInput
from ep_core.evaluation.data.annotations import Scene
from ep_core.evaluation.data.difficult import is_difficult, read_list

from .conftest import SIDE, square


def test_a_pair_is_difficult_when_small_and_not_alone(scene: Callable[..., Scene], tmp_path: Path) -> None:
    alone = scene("alone", red=square(0, 0))
    both = scene("both", red=square(0, 0), person=square(0, 0, 40))
    quarter = np.zeros((SIDE, 64), dtype=bool)
    quarter[:24, :32] = True
    assert not is_difficult(alone, "red", square(0, 0)())
    assert is_difficult(both, "red", square(0, 0)())
    assert not is_difficult(both, "person", square(0, 0, 40)())
    assert not is_difficult(both, "red", quarter)
    quarter[0, 0] = False
    assert is_difficult(both, "red", quarter)

    (tmp_path / "list").write_text("both.jpg fire hydrant\nboth person\n\nalone\n")
    listed = read_list(tmp_path / "list")
    assert listed == {"both": {"fire hydrant", "person"}, "alone": set()}
    assert is_difficult(both, "person", quarter, listed)
    assert not is_difficult(both, "red", quarter, listed)
    assert not is_difficult(alone, "red", quarter, listed)
    assert is_difficult(scene("unlisted", red=quarter), "red", quarter, listed)
    with pytest.raises(InvalidInput, match="can't read"):
        read_list(tmp_path / "nothing")
