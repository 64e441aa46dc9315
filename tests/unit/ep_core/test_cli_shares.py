"""Areas on the command line: shares of the image, or percent."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ep_core.cli.main import app
from ep_core.cli.shares import shares
from ep_core.errors import InvalidInput


@pytest.mark.parametrize(
    ("given", "fractions"),
    [
        ("0.1,0.2", [0.1, 0.2]),
        ("10,20%", [0.1, 0.2]),
        ("10%,20%", [0.1, 0.2]),
        ("10 %,0.2", [0.1, 0.2]),
        ("7,0.7%", [0.07, 0.007]),
        ("1,12.5%", [0.01, 0.125]),
        ("10", [10.0]),
        ("10%,20", [0.1, 20.0]),
    ],
)
def test_percent_signs(given: str, fractions: list[float]) -> None:
    assert [float(one) for one in shares(given.split(","), "--areas")] == fractions


@pytest.mark.parametrize("part", ["a%", "%", "1e999999999%"])
def test_what_is_no_number_stays_for_the_spec_to_refuse(part: str) -> None:
    assert shares([part], "--areas") == [part]


def test_no_values_are_no_shares() -> None:
    assert shares([], "--areas") == []


@pytest.mark.parametrize("given", ["0.1,20%", "0.5,1%"])
def test_a_value_that_could_be_either_is_asked_about(given: str) -> None:
    with pytest.raises(InvalidInput, match=rf"--areas: {given[:3]} in {given} may be a share or percent"):
        shares(given.split(","), "--areas")


@pytest.mark.parametrize(
    ("areas", "said"),
    [
        ("10,20", ["--areas: 10 is not a share of the image: write 0.1 for 10 %, or 10%",
                   "--areas: 20 is not a share of the image: write 0.2 for 20 %, or 20%"]),
        ("100%", ["--areas: 1 is too large: it must be less than 1"]),
        ("x%", ["--areas: 'x%' is not a number"]),
        ("0.1,20%", ["--areas: 0.1 in 0.1,20% may be a share or percent: write a sign at each of them or at none"]),
    ],
)  # fmt: skip
def test_mistakes(tmp_path: Path, areas: str, said: list[str]) -> None:
    (tmp_path / "a.png").touch()
    for command in ("explain", "compare"):
        done = CliRunner().invoke(app, [command, str(tmp_path / "a.png"), "--areas", areas])
        assert done.exit_code == 2
        assert done.stderr.splitlines() == [f"ep {command}: {line}" for line in said]
