"""Imports of the worker: of its health check, which runs every few seconds, and of its start."""

from __future__ import annotations

import os
import subprocess
import sys


def test_the_health_check_loads_no_torch() -> None:
    code = "import sys; from worker.__main__ import main; main(['--check']); sys.exit('torch' in sys.modules)"
    env = {**os.environ, "EP_REDIS_URL": "redis://127.0.0.1:1/0"}
    assert subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=False).returncode == 0


def test_a_worker_loads_a_model_and_finds_its_layers_without_importing_torchs_compiler():
    """It would take longer to import than torch itself."""
    code = (
        "import sys, ep_core, worker.process.main;"
        + "layers = ep_core.load_model('mobilenet_v2', device='cpu').layers;"
        + "print(len(layers), 'torch._dynamo' in sys.modules, 'torch._dynamo.utils' in sys.modules);"
        + "print(sys.modules['torchvision.ops.roi_align'].is_compile_supported('cpu'), 'torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    (layers, *loaded), later = map(str.split, done.stdout.splitlines())
    assert int(layers) > 0
    assert loaded == ["False", "False"]
    assert later == ["True", "True"]  # RoI align's function is the real one, imported when it is called
