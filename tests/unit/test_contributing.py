"""The worked examples of CONTRIBUTING.md, done as it says."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
FILES = dict(re.findall(r"^```(?:python|toml)\n# (\S+)\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE))
CHANGES = re.findall(r"^```diff\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
METHOD = "ep_core/methods/input_times_gradient.py"
TESTS = ("test_input_times_gradient.py", "test_mean.py")
EP_THEN_SCRIPT = """
import runpy, sys
from ep_core.cli.main import main
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended
runpy.run_path("explain_stripes.py", run_name="__main__")
"""
"""In one process: torch takes seconds to import."""


def write(folder: Path, *names: str) -> None:
    """Write files that the text shows."""
    for name in names:
        (folder / name).write_text(FILES[name])


def run(folder: Path, *arguments: str) -> str:
    """Return what Python says, run in a folder that its modules come from first."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_method_is_one_file_a_perturbation_four_changes_and_each_passes_its_test(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "ep_core", tmp_path / "ep_core", ignore=shutil.ignore_patterns("__pycache__"))
    assert not (tmp_path / METHOD).exists()
    write(tmp_path, METHOD, *TESTS)
    (change,) = CHANGES
    apply = ["git", "apply", "-"]
    done = subprocess.run(apply, cwd=tmp_path, input=change, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

    said = run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *TESTS)

    assert "2 passed" in said


def test_the_files_that_it_names_are_there() -> None:
    named = set(re.findall(r"`((?:ep_core|service|tests|docs)/[\w/.]+)`", TEXT)) - {METHOD}
    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_the_method_keeps_the_style(command: list[str]) -> None:
    ruff = [sys.executable, "-m", "ruff", *command, "--no-cache", "--stdin-filename", METHOD, "-"]
    done = subprocess.run(ruff, input=FILES[METHOD], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_a_network_of_ones_own_is_listed_checked_and_explained(tmp_path: Path) -> None:
    write(tmp_path, "my_models.py", "models.toml", "explain_stripes.py")
    shutil.copy(ROOT / "samples" / "goose.jpg", tmp_path / "photo.jpg")
    command = re.search(r"^    ep (models --check .*)$", TEXT, re.MULTILINE)
    assert command is not None

    *_, checked, printed = run(tmp_path, "-c", EP_THEN_SCRIPT, *shlex.split(command[1])).splitlines()

    assert checked == "stripes: ok"
    assert f"# {printed}" in FILES["explain_stripes.py"]
