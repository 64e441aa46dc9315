"""The wheel, built out of the source archive: it holds what is ours, and runs without the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from docs.release.dist import build

ROOT = Path(__file__).parents[2]
PACKAGES = ("ep_core", "worker", "service")
OF_PROJECT = ("pyproject.toml", "README.md", "LICENSE")
ALONE = """
import sys
from starlette.testclient import TestClient
import ep_core.version, service.app
assert service.app.__file__.startswith(sys.argv[1]), service.app.__file__
client = TestClient(service.app.create_app(), base_url="http://127.0.0.1")
page = client.get("/")
assert page.status_code == 200 and "Extremal perturbations" in page.text, page
assert client.get("/static/main.js").status_code == 200
assert client.get("/openapi.json").json()["info"]["version"] == ep_core.version.__version__
assert "torch" not in sys.modules
from ep_core.cli.main import main
sys.argv = ["ep", "--version"]
main()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built of a copy: what building leaves beside the source is no part of it."""
    folder = tmp_path_factory.mktemp("package")
    source = folder / "source"
    source.mkdir()
    for name in OF_PROJECT:
        shutil.copy(ROOT / name, source)
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    return build(source, folder / "dist")


def test_it_has_every_file_of_the_packages_and_nothing_else(wheel: Path) -> None:
    there = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == there


def test_it_runs_alone(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "unpacked")
    env = {name: value for name, value in os.environ.items() if not name.startswith("EP_")}
    env["PYTHONPATH"] = str(tmp_path / "unpacked")
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(tmp_path / "unpacked")], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("ep ")
