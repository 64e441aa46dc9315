"""Runs schemathesis over the live API: every operation of its OpenAPI document, with valid and invalid requests."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from .report import Line, Report
from .stack import ROOT, Stack

HERE = Path(__file__).parent
PHASES = "examples,coverage,fuzzing,stateful"
LEAST_ACCEPTED = 10  # fewer, and the rest of the API is hardly reached
GRACE_S = 60.0  # after its own time is up
_ACCEPTED = re.compile(r"method=POST .*path=/v1/jobs .*status=20[02]\b")


def measure_schema(result: Report, line: Line, stack: Stack, *, seconds: int, seed: int) -> None:
    """Run schemathesis for so many seconds; each kind of failure gets a line that reproduces it."""
    saved = stack.folder / "schemathesis.json"
    before = len(_ACCEPTED.findall(stack.logs()))
    done = _run(stack, saved, line, seconds=seconds, seed=seed)
    if not saved.exists():
        raise RuntimeError(f"schemathesis ended with {done.returncode}:\n{done.stdout[-3000:]}")
    told: dict[str, Any] = json.loads(saved.read_text())
    result.tell("schemathesis: requests", told["test_cases"]["generated"])
    result.equals("schemathesis: operations tested", told["operations"]["tested"], told["operations"]["total"])
    accepted = len(_ACCEPTED.findall(stack.logs())) - before
    result.at_least("schemathesis: posted jobs accepted", accepted, LEAST_ACCEPTED)
    result.equals("schemathesis: kinds of failures", len(told["failures"]), 0)
    result.equals("schemathesis: errors", len(told["errors"]), 0)
    if not told["failures"] and not told["errors"]:
        result.equals("schemathesis: exit code", done.returncode, 0)
    result.lines += [f"{f['title']} ({f['code']}): {', '.join(f['operations'])}" for f in told["failures"]]
    result.lines += re.findall(r"^ +curl .*$", done.stdout, re.MULTILINE)
    result.lines += [str(error) for error in told["errors"]]


def _run(stack: Stack, saved: Path, line: Line, *, seconds: int, seed: int) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml")]
    argv += ["run", f"{stack.url()}/openapi.json", "--phases", PHASES, "--max-time", str(seconds), "--seed", str(seed)]
    argv += ["--report", "json", "--report-json-path", str(saved), "--generation-database", "none", "--no-color"]
    env = os.environ | {"SCHEMATHESIS_HOOKS": "tests.reliability.schemathesis_hooks", "PYTHONPATH": str(ROOT)}
    with line.counting("schemathesis", seconds):
        return subprocess.run(
            argv,
            env=env,
            cwd=stack.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds + GRACE_S,
            check=False,
        )
