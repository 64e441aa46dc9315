"""Modules of the worker that the API imports load no torch."""

from __future__ import annotations

import subprocess
import sys

LIGHT = "asks blobs catalogue contract cores janitor liveness logs problems queue settings store tracing __main__"


def test_the_apis_part_of_the_worker_imports_no_torch():
    code = (
        "import sys\n"
        + "".join(f"import worker.{name}\n" for name in LIGHT.split())
        + "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
