"""The Python client as a wheel of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from setuptools import find_namespace_packages

from ep_core import __version__

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "clients" / "python"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built of a copy: what building leaves beside the source is no part of it."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(SOURCE, folder / "python", ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
    build = ["pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(folder)]
    done = subprocess.run([sys.executable, "-m", *build, "./python"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def test_it_has_all_modules_and_its_types_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    there = {str(path.relative_to(SOURCE)) for path in (SOURCE / "extremal_client").rglob("*.py")}
    named = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert named == there | {"extremal_client/py.typed"}


def test_it_says_what_it_is_and_needs_little(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    about = Parser().parsestr(wheel.read(name).decode())
    assert (about["Name"], about["Version"], about["Requires-Python"]) == ("extremal-client", __version__, ">=3.11")
    needed = [one for one in about.get_all("Requires-Dist") or [] if "extra ==" not in one]
    assert sorted(one.partition(">")[0] for one in needed) == ["httpx", "pillow"]
    assert "client.explain(" in about.get_payload()


def test_it_adds_its_commands(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/entry_points.txt")]
    lines = wheel.read(name).decode().splitlines()
    assert {"extremal-mcp = extremal_client.mcp.cli:main", "mcp = extremal_client.mcp.cli:mcp"} < set(lines)
    assert "[ep.commands]" in lines


def test_the_service_s_own_wheel_leaves_it_out() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    packages = find_namespace_packages(str(ROOT), include=tools["packages"]["find"]["include"])
    assert {name.partition(".")[0] for name in packages} == {"ep_core", "worker", "service"}
