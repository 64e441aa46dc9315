"""Wrong settings end a worker at once, with a line that says what to change."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.forked import forked_worker


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"EP_DEVICE": "gpu"}, "device 'gpu' is unknown: use cpu, cuda, cuda:N"),
        ({"EP_DEVICE": "cuda:99"}, "device 'cuda:99' is not here"),
        ({"EP_MODELS_FILE": "nowhere.toml"}, "model list nowhere.toml can't be read"),
    ],
)
def test_wrong_settings(settings: dict[str, str], said: str, tmp_path: Path):
    log = tmp_path / "log"
    process = forked_worker(os.environ | settings, log)
    process.start()
    process.join(60)
    assert process.exitcode == os.EX_CONFIG
    assert said in log.read_text()
    assert "Traceback" not in log.read_text()


def test_the_commands_own_exit_code_and_words():
    env = os.environ | {"EP_THREADS": "0"}
    done = subprocess.run([sys.executable, "-m", "worker"], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == os.EX_CONFIG
    assert "EP_THREADS: 0 is too small: it must be at least 1" in done.stderr
    assert "Traceback" not in done.stderr
