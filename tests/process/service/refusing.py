"""An API that doesn't start, because its settings are wrong."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr
from unittest.mock import patch

import service.__main__ as api


def refusal(**settings: str) -> str:
    """Return the one line that the API says as it ends, with settings (`EP_...`) that it can't take.

    It runs in this process: to import it anew takes seconds. What it would do to the process is left out.
    """
    said = io.StringIO()
    with (
        patch.dict(os.environ, settings),
        patch.object(api, "give_back_memory_at_once"),
        patch.object(api._Server, "run", side_effect=AssertionError("it serves")),
        redirect_stderr(said),
    ):
        assert api.main() == 1
    (line,) = said.getvalue().splitlines()
    return line


def refusal_of_a_process(**settings: str) -> str:
    """Return the one line that `python -m service` says as it ends with exit code 1."""
    done = subprocess.run(
        [sys.executable, "-m", "service"],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    return line
