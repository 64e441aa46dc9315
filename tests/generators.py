"""Generators of clients, each in an environment of its own beside ours (`make generators`), or on the path."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_INSTALLED = Path(sys.prefix) / "generators"
_FOLDERS = [_INSTALLED / "python" / "bin", _INSTALLED / "typescript" / "node_modules" / ".bin"]


def find_generator(name: str) -> Path:
    """Return the program `name`; skips the test where it isn't there."""
    found = shutil.which(name, path=os.pathsep.join([*map(str, _FOLDERS), os.environ["PATH"]]))
    if found is None:
        pytest.skip(f"{name} is not installed: `make generators` fetches it from a package index")
    return Path(found)


def run(program: Path, *arguments: str | Path, cwd: Path) -> str:
    """Run a program, with those of its environment on the path, and return its output; it must succeed."""
    env = os.environ | {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [program, *arguments], env=env, cwd=cwd, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
