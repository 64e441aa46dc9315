"""Wheels and source archives in dist/, installed into an empty environment and used there: `make dist`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .images import ROOT

FOLDER = ROOT / "dist"
SOURCES = (ROOT, ROOT / "clients" / "python")
EXTRAS = "local,huggingface"
_USE = """
ep --version
ep explain goose.jpg --areas 10% --iterations 5 --no-check --out goose
test -s goose/masks/0.1.png -a -s goose/result.html
python -c "import extremal_client, service.app, worker.process.job; service.app.create_app()"
"""
"""Commands that are run in an empty folder with what is installed, `goose.jpg` beside it."""


def main() -> int:
    """Build, install, check and use the packages; arguments are passed on to pip."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    for source in SOURCES:
        build(source, FOLDER)
    try_out(FOLDER, sys.argv[1:])
    print(f"{', '.join(sorted(path.name for path in FOLDER.iterdir()))}: installed alone, checked and used")
    return 0


def build(source: Path, folder: Path) -> Path:
    """Build the source archive of a project, and its wheel out of that archive, so that nothing is missing in it.

    Args:
        source: folder of the project.
        folder: where both go.

    Returns:
        the wheel.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        hook = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
        _run([sys.executable, "-c", hook, made], source, quietly=True)
        (archive,) = Path(made).iterdir()
        pip = ["pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", made]
        _run([sys.executable, "-m", *pip, str(archive)], source)
        (wheel,) = Path(made).glob("*.whl")
        for path in (archive, wheel):
            shutil.copy(path, folder)
    return folder / wheel.name


def try_out(folder: Path, pip_args: Sequence[str]) -> None:
    """Install the wheels of a folder into an environment of their own, and use them in an empty folder."""
    ours, client = sorted(folder.glob("*.whl"), key=lambda path: path.name.startswith("extremal_client"))
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        _run([sys.executable, "-m", "venv", "venv"], place)
        constraints = ["--constraint", str(ROOT / "constraints.txt"), *pip_args]
        pip = [str(place / "venv" / "bin" / "python"), "-m", "pip"]
        _run([*pip, "install", "--quiet", *constraints, f"{ours}[{EXTRAS}]", str(client)], place)
        _run([*pip, "check"], place)
        shutil.copy(ROOT / "samples" / "goose.jpg", place)
        _run(["bash", "-euc", _USE], place, PATH=f"{place / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}")


def _run(command: Sequence[str], folder: Path, *, quietly: bool = False, **env: str) -> None:
    """Run a command without the modules of this checkout.

    Raises:
        CalledProcessError: it fails.
    """
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    output = subprocess.DEVNULL if quietly else None
    subprocess.run(command, cwd=folder, env=clean | env, stdout=output, check=True)


if __name__ == "__main__":
    sys.exit(main())
