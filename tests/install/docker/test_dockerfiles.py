"""The Dockerfiles' own installation steps, run here: no docker engine is needed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCKERFILES = ["api", "worker"]
FULL = "EP_TEST_IMAGES"  # set it to install the worker's image too, torch included


def instructions(name: str) -> list[tuple[str, str]]:
    """Return a Dockerfile's instructions in order, lines joined, comments dropped."""
    text = (ROOT / "docker" / f"{name}.Dockerfile").read_text()
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split()[0], line.partition(" ")[2].strip()) for line in text.splitlines() if line.strip()]


def first_stage(name: str) -> list[tuple[str, str]]:
    steps = instructions(name)
    second = [number for number, (word, _) in enumerate(steps) if word == "FROM"][1]
    return steps[:second]


def pip_installs(name: str) -> list[str]:
    """Return the shell commands of its `RUN pip install` steps, BuildKit's mounts left out."""
    commands = [re.sub(r"--mount=\S+\s*", "", rest) for word, rest in first_stage(name) if word == "RUN"]
    return [command for command in commands if command.startswith("pip install")]


def copy_sources(name: str, target: Path) -> None:
    """Do the first stage's COPY steps."""
    for word, rest in first_stage(name):
        if word == "COPY":
            *sources, destination = rest.split()
            for source in sources:
                path = ROOT / source
                if path.is_dir():
                    shutil.copytree(path, target / destination, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(path, target / destination)


def run(command: str, cwd: Path, venv: Path | None = None) -> str:
    env = {key: value for key, value in os.environ.items() if not key.startswith(("EP_", "PYTHON"))}
    binaries = venv / "bin" if venv else Path(sys.executable).parent
    env["PIP_NO_COMPILE"] = "1"  # what is never imported here would be most of the time
    env["PATH"] = f"{binaries}{os.pathsep}{env['PATH']}"
    done = subprocess.run(["sh", "-ec", command], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def api_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh venv in which the API's own steps ran."""
    folder = tmp_path_factory.mktemp("api")
    copy_sources("api", folder)
    run(f"{shlex.quote(sys.executable)} -m venv venv", folder)
    for command in pip_installs("api"):
        run(command, folder, folder / "venv")
    return folder / "venv"


class TestApi:
    def test_installs_without_torch(self, api_image: Path) -> None:
        installed = run("pip list --format=freeze", api_image, api_image).lower()
        assert "fastapi==" in installed
        assert "extremal-perturbations==" in installed
        assert run("pip check", api_image, api_image).strip() == "No broken requirements found."
        assert not re.search(r"^(torch|torchvision|nvidia\S*|triton)==", installed, re.MULTILINE)

    def test_serves_from_what_is_installed(self, api_image: Path) -> None:
        program = "import service.app, service.__main__; print(service.app.__file__)"
        file = run(f"python -c {shlex.quote(program)}", api_image, api_image).strip()
        assert Path(file).is_relative_to(api_image)

    def test_brings_its_pages_along(self, api_image: Path) -> None:
        ours = {
            p.relative_to(ROOT) for p in (ROOT / "service").rglob("*") if p.suffix in {".html", ".css", ".js", ".svg"}
        }
        (packages,) = (api_image / "lib").glob("python*/site-packages")
        assert not [path for path in ours if not (packages / path).exists()]


class TestWorker:
    def test_asks_for_versions_that_go_together(self, tmp_path: Path) -> None:
        """Resolves within the packages installed here, so that nothing large is fetched."""
        copy_sources("worker", tmp_path)
        for command in pip_installs("worker"):
            planned = run(command.replace("pip install", "python -m pip install --dry-run"), tmp_path)
            would = re.search(r"^Would install (.*)$", planned, re.MULTILINE)
            assert {re.sub(r"-[\d.]+$", "", item) for item in (would[1].split() if would else [])} <= {
                "extremal-perturbations"
            }

    @pytest.mark.skipif(FULL not in os.environ, reason=f"fetches torch, which takes minutes; set {FULL}=1")
    @pytest.mark.timeout(1800)
    def test_installs_and_fetches_its_weights(self, tmp_path: Path) -> None:
        copy_sources("worker", tmp_path)
        run(f"{shlex.quote(sys.executable)} -m venv venv", tmp_path)
        for command in pip_installs("worker"):
            run(command, tmp_path, tmp_path / "venv")
        (fetch,) = [rest for word, rest in first_stage("worker") if word == "RUN" and "--fetch" in rest]
        run(fetch.replace("/opt/cache", str(tmp_path / "cache")), tmp_path, tmp_path / "venv")
        assert list((tmp_path / "cache").rglob("mobilenet_v2-*.pth"))
        run(
            "python -c 'import worker.process.job, open_clip, timm, transformers'", tmp_path / "venv", tmp_path / "venv"
        )
        shutil.rmtree(tmp_path / "venv")  # some GB, which pytest would keep for three runs


@pytest.mark.parametrize("name", DOCKERFILES)
class TestBoth:
    def test_runs_as_a_fixed_user_that_is_not_root(self, name: str) -> None:
        users = [rest for word, rest in instructions(name) if word == "USER"]
        assert users == ["10001:10001"]

    def test_pins_what_it_installs(self, name: str) -> None:
        assert all("--constraint constraints.txt" in command for command in pip_installs(name))

    def test_checks_what_it_installs(self, name: str) -> None:
        assert ("RUN", "pip check") in first_stage(name)

    def test_copies_only_what_the_build_context_holds(self, name: str) -> None:
        kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
        for word, rest in first_stage(name):
            if word == "COPY":
                assert set(rest.split()[:-1]) <= kept

    def test_says_whether_it_is_healthy(self, name: str) -> None:
        assert [word for word, _ in instructions(name)].count("HEALTHCHECK") == 1
