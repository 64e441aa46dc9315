"""Scenes of digits: what is told of them is what is painted, and the two parts share nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from examples.digits.backgrounds import HERE, Part, load_backgrounds
from examples.digits.glyphs import load_glyphs, scrambled, widened
from examples.digits.held_out import FOLDER
from examples.digits.held_out import main as write
from examples.digits.scenes import COLOURS, SIZE, Painter, Scene


def painted(part: Part, seed: int, count: int = 40) -> list[Scene]:
    painter = Painter(part, seed)
    return [painter.paint() for _ in range(count)]


def test_a_seed_paints_the_same_scenes() -> None:
    for one, other in zip(painted("train", 3), painted("train", 3), strict=True):
        assert one.digits == other.digits
        assert (one.pixels == other.pixels).all()
    assert any(one.digits != other.digits for one, other in zip(painted("train", 3), painted("train", 4), strict=True))


def test_boxes_are_where_the_pixels_of_the_class_are() -> None:
    for scene in painted("held_out", 0):
        assert scene.digits
        assert set(np.unique(scene.classes)) == {0} | {digit.value + 1 for digit in scene.digits}
        for digit in scene.digits:
            rows, columns = np.nonzero(scene.classes == digit.value + 1)
            left, top, right, bottom = digit.box
            assert 0 <= left <= columns.min() <= left + 2
            assert right - 3 <= columns.max() < right <= SIZE
            assert 0 <= top <= rows.min() <= top + 2
            assert bottom - 3 <= rows.max() < bottom <= SIZE


def test_pixels_of_a_digit_have_its_colour() -> None:
    for scene in painted("train", 1):
        for digit in scene.digits:
            seen = np.median(scene.pixels[scene.classes == digit.value + 1], axis=0)
            assert min(COLOURS, key=lambda name: np.abs(seen - COLOURS[name]).sum()) == digit.colour


def test_parts_share_no_digit_and_no_photograph() -> None:
    train, held_out = (
        {glyph.tobytes() for of_value in load_glyphs(part).values() for glyph in of_value}
        for part in ("train", "held_out")
    )
    assert not train & held_out
    train, held_out = ({one.tobytes() for one in load_backgrounds(part)} for part in ("train", "held_out"))
    assert not train & held_out


def test_every_photograph_is_attributed() -> None:
    told = (HERE / "backgrounds" / "ATTRIBUTION.md").read_text()
    files = sorted(file.relative_to(HERE / "backgrounds") for file in (HERE / "backgrounds").rglob("*.jpg"))
    assert len(files) == told.count("staticflickr.com")
    assert all(f"| {file.as_posix()} |" in told for file in files)


def test_widened_takes_the_largest_neighbour() -> None:
    stencil = np.random.default_rng(0).random((5, 4)).astype(np.float32)
    padded = np.pad(stencil, 2)
    slow = [[padded[i : i + 3, j : j + 3].max() for j in range(6)] for i in range(7)]
    np.testing.assert_array_equal(widened(stencil), np.array(slow))


@pytest.mark.parametrize("shape", [(16, 12), (19, 14)])
def test_scrambled_moves_tiles(shape: tuple[int, int]) -> None:
    stencil = np.random.default_rng(0).random(shape).astype(np.float32)
    moved = scrambled(stencil, np.random.default_rng(1))
    height, width = (4 * (side // 4) for side in shape)
    np.testing.assert_array_equal(np.sort(moved, axis=None), np.sort(stencil[:height, :width], axis=None))
    assert (moved != stencil[:height, :width]).any()


def test_committed_scenes_are_as_the_command_writes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("examples.digits.held_out.FOLDER", tmp_path)
    write()
    assert (tmp_path / "scenes.json").read_text() == (FOLDER / "scenes.json").read_text()
    names = {file.name for file in FOLDER.glob("*.png")}
    assert {file.name for file in tmp_path.glob("*.png")} == names
    for name in names:
        written, committed = (np.asarray(Image.open(folder / name), dtype=int) for folder in (tmp_path, FOLDER))
        np.testing.assert_allclose(written, committed, atol=3)  # decoders of JPEG differ by a little
