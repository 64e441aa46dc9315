"""Faults that `make mutants` puts into the code."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.mutation.draw import draw, mutants

CODE = '''"""A docstring of 1 < 2."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import json


def grow(x: int, *, by: int = 1) -> int:
    """Return 0."""
    if x < 0 and not by:
        raise ValueError(f"{x + 1}")
    return x + by
'''


def test_each_operator_constant_and_statement_is_a_fault_and_texts_and_annotations_are_none(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text(CODE)
    assert {(one.line, one.old, one.new) for one in mutants(tmp_path, "code.py")} == {
        (9, "1", "2"),
        (11, "x < 0 and not by", "not (x < 0 and not by)"),
        (11, "x < 0 and not by", "(x < 0) or (not by)"),
        (11, "x < 0", "(x) <= (0)"),
        (11, "0", "1"),
        (11, "not by", "(by)"),
        (12, 'raise ValueError(f"{x + 1}")', "pass"),
        (13, "x + by", "None"),
        (13, "x + by", "(x) - (by)"),
    }


def test_every_fault_is_code_and_the_file_can_be_mended(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text(CODE)
    for mutant in mutants(tmp_path, "code.py"):
        whole = mutant.apply(tmp_path)
        broken = (tmp_path / "code.py").read_text()
        ast.parse(broken)
        assert broken != CODE
        (tmp_path / "code.py").write_bytes(whole)
    assert (tmp_path / "code.py").read_text() == CODE


def test_lines_are_drawn_evenly_once_each_and_the_same_again(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text(CODE)
    drawn = draw(tmp_path, ["code.py"], count=10, seed=3)
    assert sorted(one.line for one in drawn) == [9, 11, 12, 13]
    assert drawn == draw(tmp_path, ["code.py"], count=10, seed=3)
    assert len(draw(tmp_path, ["code.py"], count=2, seed=3)) == 2
