"""Examples run, as they are and with the lines that they replace; they replace three lines at most."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "examples"
LIBRARIES = {"with_captum": "captum", "with_grad_cam": "pytorch_grad_cam", "with_quantus": "quantus"}
ON_THE_STACK = {"explain_a_folder", "nightly", "webhook_receiver", "with_fiftyone", "with_label_studio"}
"""Those that need the service: `tests/stack/clients` runs them."""
REPLACED = re.compile(r"^( *)# was: (.*)\n.*$", re.MULTILINE)
NUMBER = re.compile(r"-?\d[\d.e-]*")


def run(source: str, path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """Run an example in a folder and return its pictures, H x W x 3."""
    folder.mkdir()
    monkeypatch.chdir(folder)
    exec(compile(source, path, "exec"), {"__name__": "__main__", "__file__": str(path)})
    return [np.asarray(Image.open(picture).convert("RGB")) for picture in folder.iterdir()]


def test_every_example_is_known() -> None:
    assert sorted(path.stem for path in EXAMPLES.glob("*.py")) == sorted(LIBRARIES.keys() | ON_THE_STACK)


@pytest.mark.slow
@pytest.mark.parametrize("name", LIBRARIES)
def test_an_example_runs_like_the_code_it_changes_in_three_lines(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip(LIBRARIES[name], reason="docs/adapters.md says how to install it")
    path = EXAMPLES / f"{name}.py"
    source = path.read_text()
    original, count = REPLACED.subn(r"\1\2", source)
    assert 1 <= count <= 3
    assert "adapters" not in original
    theirs = run(original, path, tmp_path / "theirs", monkeypatch)
    told = capsys.readouterr().out
    ours = run(source, path, tmp_path / "ours", monkeypatch)
    told_by_ours = capsys.readouterr().out
    assert NUMBER.sub("0", told) == NUMBER.sub("0", told_by_ours) != ""  # alike but for the numbers
    assert [one.shape for one in theirs] == [one.shape for one in ours]
    assert told != told_by_ours or any((a != b).any() for a, b in zip(theirs, ours, strict=True))
