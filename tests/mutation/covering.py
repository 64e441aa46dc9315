"""Tests that run each line, from a run of the suite with coverage."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

from coverage import CoverageData

HERE = Path(__file__).parent
_DATA, _TIMES = "coverage", "times.xml"
_PHASE = re.compile(r"[|\s]\(?(setup|run|call|teardown)\)?$")


def record(root: Path, folder: Path, *options: str) -> None:
    """Run the suite of the project at `root`, and keep in `folder` what ran where and how long it took.

    Tests that fail only because coverage slows them are no obstacle: they cover what they ran.
    """
    command = [sys.executable, "-m", "pytest", "-q", f"--cov-config={HERE / 'coverage.ini'}", "--cov-context=test"]
    command += ["--cov", "--cov-report=", f"--junitxml={folder / _TIMES}", "-p", "no:cacheprovider", *options]
    env = os.environ | {"COVERAGE_FILE": str(folder / _DATA), "PYTHONPATH": str(root)}
    subprocess.run(command, cwd=root, env=env, check=False)


class Covering:
    """Tests by the lines that they run.

    Args:
        root: the project's, as it was when recorded.
        folder: what `record` wrote.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self._root = root
        self._data = CoverageData(str(folder / _DATA))
        self._data.read()
        self._seconds = _seconds(folder / _TIMES)

    def tests(self, path: str, *lines: int) -> list[str]:
        """Return the ids of the tests that run any of some lines, the quickest first.

        A line that runs at import belongs to no test. In its place stand the tests that run anything of its module, or
        else of the modules that import it.
        """
        contexts = self._data.contexts_by_lineno(str(self._root / path))
        here = {context for line in lines for context in contexts.get(line, ())}
        found = _tests(here)
        if here and not found:
            found = self._of_module(path) or set().union(*map(self._of_module, self._importers(path)))
        return sorted(found, key=lambda test: (self.seconds(test), test))

    def _of_module(self, path: str) -> set[str]:
        by_line = self._data.contexts_by_lineno(str(self._root / path))
        return _tests(context for contexts in by_line.values() for context in contexts)

    def _importers(self, path: str) -> list[str]:
        """Return the product's modules that name a module, or what it is called within its package."""
        name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        within = re.compile(rf"(from|import) [\w.]*\.?{name.rpartition('.')[2]}\b")
        files = (str(Path(file).relative_to(self._root)) for file in self._data.measured_files())
        return [file for file in files if file != path and within.search((self._root / file).read_text())]

    def seconds(self, test: str) -> float:
        """Return how long a test took, its fixtures included."""
        return self._seconds.get(_name(test), 1.0)


def _tests(contexts: Iterable[str]) -> set[str]:
    ids = (_PHASE.sub("", context.rpartition("tests/")[2]) for context in contexts if "tests/" in context)
    return {f"tests/{test}" for test in ids}


def _seconds(file: Path) -> dict[str, float]:
    cases = ElementTree.parse(file).iter("testcase")
    return {f"{case.get('classname')}.{case.get('name')}": float(case.get("time") or 0) for case in cases}


def _name(test: str) -> str:
    """Return a test's name as the file of times has it."""
    file, _, rest = test.partition("::")
    first, bracket, parameters = rest.partition("[")
    return ".".join([file.removesuffix(".py").replace("/", "."), *first.split("::")]) + bracket + parameters
