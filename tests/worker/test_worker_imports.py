"""What a container's health check loads: it runs every few seconds and has seconds to answer."""

from __future__ import annotations

import os
import subprocess
import sys


def test_the_health_check_loads_no_torch() -> None:
    code = "import sys; from worker.__main__ import main; main(['--check']); sys.exit('torch' in sys.modules)"
    env = {**os.environ, "EP_REDIS_URL": "redis://127.0.0.1:1/0"}
    assert subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=False).returncode == 0
