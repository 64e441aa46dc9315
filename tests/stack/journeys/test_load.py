"""`ep bench load` against the running stack."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from itertools import chain
from pathlib import Path

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner, Result

from service.load.cli import load_command
from tests.running_stack import SAMPLES, Stack
from tests.small_jobs import MASKS_ONLY

pytestmark = pytest.mark.e2e

QUICK = MASKS_ONLY | {"model": "slow", "areas": [0.2], "iterations": 1}


def run(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(load_command)
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "120"})


def test_it_measures_a_running_service(stack: Stack, tmp_path: Path) -> None:
    jobs = ["--jobs", 2, "--every", 2, "--params", json.dumps(QUICK), "--small", '{"areas": [0.3]}']
    picture = tmp_path / "goose.png"
    Image.open(SAMPLES / "goose.jpg").resize((64, 48)).save(picture)
    done = run(picture, "--url", stack.url, *jobs, "--out", tmp_path)
    assert done.exit_code == 0, done.output
    assert "from taken to the first step: s, p95" in done.output
    document = json.loads((tmp_path / "load.json").read_text())
    phases = [document[name]["jobs"] for name in ("in_turn", "at_once", "by_chance")]
    assert [[job["small"] for job in phase] for phase in phases] == [[False, True]] * 3
    for job in chain(*phases):
        assert job["posted"] <= job["taken"] <= job["first_step"] <= job["finished"]
    spent = document["in_turn"]["counted"]
    assert all(spent[f"ep_worker_cpu_seconds_total {part}"] > 0 for part in ("steps", "rest", "pictures"))
    ET.parse(tmp_path / "load.svg")


def test_it_says_what_is_wrong(stack: Stack) -> None:
    refused = run("--url", stack.url, "--params", '{"areas": [2]}')
    assert (refused.exit_code, "areas" in refused.output) == (1, True)
    away = run("--url", "http://127.0.0.1:1")
    assert (away.exit_code, "is the service there?" in away.output) == (1, True)
    unreadable = run("--params", "areas=2")
    assert (unreadable.exit_code, "not JSON" in unreadable.output) == (2, True)
