"""Code that is shown to users runs on the stack, as it is."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.running_stack import SAMPLES, Stack

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "examples" / "explain_a_folder.py"
FOLDER_TS = FOLDER.with_suffix(".ts")
README = (ROOT / "clients" / "python" / "README.md").read_text()
PAGE = (ROOT / "docs" / "clients.md").read_text()


def run(stack: Stack, *command: str | Path, cwd: Path) -> str:
    """Run Python as a user does whose environment names the service."""
    done = subprocess.run(
        [sys.executable, *command],
        env=os.environ | {"EP_URL": stack.url},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def code_of(source: str) -> str:
    """The lines of a script without what it says of itself and empty ones."""
    return "\n".join(line for line in source.splitlines() if line and not line.startswith(('"""', "//")))


def test_a_folder_is_explained_in_ten_lines(stack: Stack, tmp_path: Path) -> None:
    shutil.copy(SAMPLES / "goose.jpg", tmp_path)
    (tmp_path / "broken.jpg").write_text("no image")
    told = run(stack, FOLDER, tmp_path, cwd=tmp_path)
    assert len(code_of(FOLDER.read_text()).splitlines()) <= 10
    masks = sorted(path.name for path in (tmp_path / "masks").iterdir())
    assert masks == ["goose-0.1.png", "goose-0.3.png"]
    mask = np.asarray(Image.open(tmp_path / "masks" / "goose-0.3.png"))
    assert (mask.shape, mask.max()) == ((498, 640), 255)
    assert told.startswith("broken.jpg ")
    assert "Explanation(" in told


def test_a_folder_is_explained_in_typescript_too(stack: Stack, tmp_path: Path) -> None:
    shutil.copy(SAMPLES / "goose.jpg", tmp_path)
    allowed = ["--allow-net", "--allow-read", "--allow-write", "--allow-env"]
    run(stack, "-m", "deno", "run", "--no-check", *allowed, FOLDER_TS, tmp_path, cwd=tmp_path)
    assert len(code_of(FOLDER_TS.read_text()).splitlines()) <= 10
    masks = sorted(path.name for path in tmp_path.glob("*.png"))
    assert masks == ["goose.jpg-0.1.png", "goose.jpg-0.3.png"]
    assert Image.open(tmp_path / masks[0]).size == (640, 498)


def test_the_page_shows_the_examples_as_they_are() -> None:
    for heading, language, file in (("A folder", "python", FOLDER), ("TypeScript", "ts", FOLDER_TS)):
        section = PAGE.partition(f"## {heading}\n")[2]
        block = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
        assert block is not None
        assert code_of(block[1]) == code_of(file.read_text())
    for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        ast.parse("async def block():\n" + "".join(f"    {line}\n" for line in code.splitlines()))


def test_the_readme_runs(stack: Stack, tmp_path: Path) -> None:
    block = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert block is not None
    shutil.copy(SAMPLES / "black_bear.jpg", tmp_path / "photo.jpg")
    told = run(stack, "-c", block[1].replace("http://127.0.0.1:8000", stack.url), cwd=tmp_path)
    assert re.match(r"\d+% of what the network sees suffices for American black bear\n0\.1 ", told)
    assert (tmp_path / "saliency.png").exists()
    assert (tmp_path / "everything" / "masks" / "0.1.png").exists()
