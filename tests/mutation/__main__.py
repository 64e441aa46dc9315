"""`python -m tests.mutation`: how many of a hundred faults do the tests find?"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Literal

from rich.console import Console
from rich.progress import track
from rich.table import Table

from .covering import Covering, record
from .draw import PRODUCT, Mutant, draw

ROOT = Path(__file__).parents[2]
TESTS_S = 60.0  # of tests that cover a line, the quickest
SLOWER = 4.0  # a run that takes so many times as long hangs: the fault is found
START_S = 60.0
NOT_COPIED = shutil.ignore_patterns(".venv", ".git", ".*_cache", "__pycache__", "*.egg-info", ".hypothesis", "build")

Outcome = Literal["found", "missed", "no test runs it"]


def main() -> int:
    """Draw mutants, run the tests against each, and show those that none finds. Exit code 1 below the bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="mutants")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    parser.add_argument("--bar", type=float, default=0.8, help="share of them that has to be found")
    parser.add_argument("--at-once", type=int, default=os.cpu_count() or 1, help="mutants side by side")
    parser.add_argument("--recorded", type=Path, help="folder of an earlier recording, or where to keep this one")
    options = parser.parse_args()
    folder = options.recorded or Path(tempfile.mkdtemp(prefix="mutants-"))
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        record(ROOT, folder, "--numprocesses", "auto", "--dist", "loadfile", "--no-loadscope-reorder")
    covering = Covering(ROOT, folder)
    files = [str(path.relative_to(ROOT)) for top in PRODUCT for path in sorted((ROOT / top).rglob("*.py"))]
    drawn = draw(ROOT, files, count=options.count, seed=options.seed)
    outcomes = run_all(drawn, covering, at_once=options.at_once)
    return 0 if show(drawn, outcomes) >= options.bar else 1


def run_all(drawn: Sequence[Mutant], covering: Covering, *, at_once: int) -> list[Outcome]:
    """Run the tests against each mutant, `at_once` side by side, each in a copy of the project."""
    copies: SimpleQueue[Path] = SimpleQueue()

    def run_one(mutant: Mutant) -> Outcome:
        copy = copies.get()
        try:
            return outcome(mutant, covering, copy)
        finally:
            copies.put(copy)

    with tempfile.TemporaryDirectory(prefix="mutants-") as folder, ThreadPoolExecutor(at_once) as pool:
        for number in range(at_once):
            copy = Path(folder) / str(number)
            shutil.copytree(ROOT, copy, ignore=NOT_COPIED)
            copies.put(copy)
        return list(track(pool.map(run_one, drawn), total=len(drawn), description="Mutants"))


def outcome(mutant: Mutant, covering: Covering, copy: Path) -> Outcome:
    """Run the tests that cover a mutant's line, the quickest first, for about a minute.

    A test that fails without the fault, too, counts for nothing.
    """
    tests: list[str] = []
    seconds = 0.0
    for test in covering.tests(mutant.path, mutant.line, mutant.statement):
        seconds += covering.seconds(test)
        if tests and seconds > TESTS_S:
            break
        tests.append(test)
    if not tests:
        return "no test runs it"
    limit_s = START_S + SLOWER * min(seconds, TESTS_S)
    while tests:
        whole = mutant.apply(copy)
        try:
            failing = failure(tests, copy, limit_s=limit_s)
        finally:
            (copy / mutant.path).write_bytes(whole)
        if failing is None:
            return "missed"
        if not failing or failure(failing, copy, limit_s=limit_s) is None:
            return "found"
        tests = [test for test in tests if test not in failing]
    return "missed"


def failure(tests: Sequence[str], copy: Path, *, limit_s: float) -> list[str] | None:
    """Run tests in a copy of the project.

    Returns:
        None where all pass; the first that fails; all where none can begin; none where they take more than `limit_s`.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-rfE", "-p", "no:cacheprovider", *tests]
    env = os.environ | {"PYTHONPATH": str(copy), "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryFile() as output, started(command, copy, env, output) as process:
        try:
            code = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            return []
        if code == os.EX_OK:
            return None
        output.seek(0)
        said = [line for line in output.read().decode(errors="replace").splitlines() if line[:5] in ("FAILE", "ERROR")]
    return [test for test in tests if any(line.partition(" ")[2].startswith(test) for line in said)][-1:] or list(tests)


@contextmanager
def started(
    command: Sequence[str], folder: Path, env: dict[str, str], output: IO[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a session of its own, which ends with the block."""
    with subprocess.Popen(
        command, cwd=folder, env=env, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def show(drawn: Sequence[Mutant], outcomes: Sequence[Outcome]) -> float:
    """Print the mutants that no test finds. Returns the share of those found."""
    table = Table("Mutant", "Outcome", title="Faults that no test finds")
    for mutant, result in zip(drawn, outcomes, strict=True):
        if result != "found":
            table.add_row(str(mutant), result)
    share = outcomes.count("found") / len(outcomes)
    console = Console()
    console.print(table)
    console.print(f"{outcomes.count('found')} of {len(outcomes)} found: {share:.0%}")
    return share


if __name__ == "__main__":
    sys.exit(main())
