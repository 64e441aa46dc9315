"""The API as a process of its own: that of `python -m service`, but forked from one that has imported it."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from signal import SIGTERM

import httpx

from tests.forked import forked_api


class ApiProcess:
    """A running API."""

    def __init__(self, env: dict[str, str], log: Path) -> None:
        self._log = log
        self._process = forked_api(env, log)
        self._process.start()

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    @property
    def exit_code(self) -> int | None:
        """The exit code; for a signal, minus its number; None while it runs."""
        return self._process.exitcode

    def terminate(self) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, SIGTERM)

    def end(self) -> str:
        """Wait for its end and return what it wrote."""
        self._process.join(30)
        assert not self.alive
        return self._log.read_text()

    def kill(self) -> None:
        self._process.kill()
        self._process.join()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def run_api(redis_url: str, **env: str) -> Iterator[tuple[ApiProcess, str]]:
    """A running API process and its address."""
    port = _free_port()
    env = os.environ | {"EP_REDIS_URL": redis_url, "EP_PORT": str(port), "EP_LOG_JSON": "true"} | env
    with tempfile.TemporaryDirectory() as folder:
        process = ApiProcess(env, Path(folder) / "api.log")
        try:
            _wait_for(f"http://127.0.0.1:{port}/healthz", 200, within_s=60)
            yield process, f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def _wait_for(url: str, status: int, *, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            if httpx.get(url).status_code == status:
                return
        time.sleep(0.02)
    raise AssertionError(f"{url} did not answer {status} within {within_s} s")
