"""The API as a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def run_api(redis_url: str, **env: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running API process and its address."""
    port = _free_port()
    env = os.environ | {"EP_REDIS_URL": redis_url, "EP_PORT": str(port), "EP_LOG_JSON": "true"} | env
    process = subprocess.Popen([sys.executable, "-m", "service"], env=env, stderr=subprocess.PIPE, text=True)
    try:
        _wait_for(f"http://127.0.0.1:{port}/healthz", 200, within_s=60)
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


def _wait_for(url: str, status: int, *, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            if httpx.get(url).status_code == status:
                return
        time.sleep(0.02)
    raise AssertionError(f"{url} did not answer {status} within {within_s} s")
