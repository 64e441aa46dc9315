"""The main job by a client in TypeScript: types are generated from the API's document, checked, and then it runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.generators import find_generator, run
from tests.running_stack import SAMPLES, Stack

pytestmark = pytest.mark.e2e

SOURCES = Path(__file__).parents[2] / "clients" / "typescript"


def test_the_main_job_is_typed_and_runs(stack: Stack, tmp_path: Path) -> None:
    node, generator, compiler = map(find_generator, ("node", "openapi-typescript", "tsc"))
    for name in ("main_job.ts", "package.json", "tsconfig.json"):
        shutil.copy(SOURCES / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(generator.parent.parent)
    options = ["--output", "api.d.ts", "--default-non-nullable=false"]
    run(generator, f"{stack.url}/openapi.json", *options, cwd=tmp_path)
    run(compiler, "--project", ".", cwd=tmp_path)
    found = json.loads(run(node, "main_job.js", stack.url, SAMPLES / "black_bear.jpg", cwd=tmp_path))
    assert found.pop("left") == pytest.approx(133.2, abs=1)
    assert found.pop("mask") > 100
    assert found == {
        "status": "succeeded",
        "areas": [0.1, 0.4],
        "width": 640,
        "batch": {"succeeded": 2},
        "label": "American black bear",
    }
