"""An API that doesn't start, because its settings are wrong."""

from __future__ import annotations

import os
import subprocess
import sys


def refusal(**settings: str) -> str:
    """Return the one line that `python -m service` says as it ends, with settings (`EP_...`) that it can't take."""
    done = subprocess.run(
        [sys.executable, "-m", "service"],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    return line
