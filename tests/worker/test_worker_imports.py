"""What importing the worker's parts brings along."""

from __future__ import annotations

import subprocess
import sys
from pkgutil import iter_modules

import worker.broker
import worker.observe

LIGHT = [
    *(f"worker.{name}" for name in ("__main__", "janitor", "settings", "process.cores")),
    *(one.name for room in (worker.broker, worker.observe) for one in iter_modules(room.__path__, f"{room.__name__}.")),
]


def test_the_apis_part_of_the_worker_imports_no_torch():
    code = f"import sys, {', '.join(LIGHT)}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


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
