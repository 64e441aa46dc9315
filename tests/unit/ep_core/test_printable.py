"""Texts of others on a terminal: a label, a file's name or an error can't move its cursor or change its colours."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.table import Table
from typer.testing import CliRunner

from ep_core.cli.main import app
from ep_core.cli.terminal import out_console, progress_bars
from ep_core.schemas.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("two\nlines\r", r"two\nlines\r"),
        ("\x9b2J\x7f\x00\t", r"\x9b2J\x7f\x00\t"),
        ("\u202egnp.exe\u2028", r"\u202egnp.exe\u2028"),
        ("half \udcff", r"half \udcff"),
        ("Bär, 熊, می‌خواهم, 👩‍🔬, a\\b", "Bär, 熊, می‌خواهم, 👩‍🔬, a\\b"),
    ],
)
def test_what_a_terminal_obeys_is_escaped_and_all_else_stays(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown


def test_what_is_kept_stays() -> None:
    assert printable("two\nlines\x1b", keep="\n") == "two\nlines\\x1b"


def test_the_terminal_shows_texts_and_tables_so(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("model", box=None)
    table.add_row("a\x1b[31mb")
    out_console.print("label \x1b[2J", highlight=False)
    out_console.print("plain \x1b[2J", markup=False, style="bold")
    out_console.print(table)
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert [line.strip() for line in said.splitlines()][0::3] == [r"label \x1b[2J", r"a\x1b[31mb"]


def test_progress_bars_do_too(capsys: pytest.CaptureFixture[str]) -> None:
    bars = progress_bars()
    bars.add_task("explaining \x1b[2J[/b].jpg", total=None)
    out_console.print(bars.get_renderable())
    said = capsys.readouterr().out
    assert r"\x1b[2J[/b].jpg" in said
    assert "\x1b" not in said


def test_a_command_that_fails_says_why_so(tmp_path: Path) -> None:
    image = tmp_path / "a\x1b[2J.jpg"
    image.write_bytes(b"no picture")
    models = tmp_path / "models.toml"
    models.write_text('[models."evil\\u001b[2J"]\nnothing = 1\n')
    for arguments in (["explain", str(image)], ["models", "--models-file", str(models)]):
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code != 0
        assert "\x1b" not in done.output
