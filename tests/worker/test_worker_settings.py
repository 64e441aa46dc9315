"""Wrong settings end a worker at once, with a line that says what to change."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"EP_THREADS": "0"}, "EP_THREADS: 0 is too small: it must be at least 1"),
        ({"EP_DEVICE": "gpu"}, "device 'gpu' is unknown: use cpu, cuda, cuda:N"),
        ({"EP_DEVICE": "cuda:99"}, "device 'cuda:99' is not here"),
        ({"EP_MODELS_FILE": "nowhere.toml"}, "model list nowhere.toml can't be read"),
    ],
)
def test_wrong_settings(settings: dict[str, str], said: str):
    done = subprocess.run(
        [sys.executable, "-m", "worker"], env=os.environ | settings, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == os.EX_CONFIG
    assert said in done.stderr
    assert "Traceback" not in done.stderr
