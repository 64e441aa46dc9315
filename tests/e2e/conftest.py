"""The whole stack, as `make run` starts it: embedded Redis, API and one supervised worker."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

SAMPLES = Path(__file__).parents[2] / "samples"
READY_S = 90.0


class Stack:
    """A running `ep serve` and a client for it."""

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self.process = process
        self.client = httpx.Client(base_url=url, timeout=90)

    def post(self, image: str, **params: Any) -> dict[str, Any]:
        answer = self.client.post(
            "/v1/jobs",
            files={"image": (SAMPLES / f"{image}.jpg").read_bytes()},
            data={"params": httpx.Response(200, json=params).text},
        )
        assert answer.status_code == 202, answer.text
        return answer.json()

    def wait(self, job: dict[str, Any], *, until: Callable[[dict[str, Any]], bool], limit_s: float) -> dict[str, Any]:
        """Poll a job as a dashboard does."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            seen: dict[str, Any] = self.client.get(job["links"]["self"]).json()
            if until(seen):
                return seen
            time.sleep(0.2)
        pytest.fail(f"after {limit_s} s still {seen}")

    def finish(self, job: dict[str, Any], *, limit_s: float = 200) -> dict[str, Any]:
        return self.wait(job, until=lambda seen: seen["status"] not in ("queued", "running"), limit_s=limit_s)

    def worker_pid(self) -> int:
        children = subprocess.run(
            ["ps", "--ppid", str(self.process.pid), "-o", "pid=,args="], capture_output=True, text=True, check=True
        )
        return next(int(line.split()[0]) for line in children.stdout.splitlines() if line.endswith("-m worker"))


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("stack")
    env = os.environ | {"EP_PORT": str(port), "EP_STATE_DIR": str(folder / "state")}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([Path(sys.executable).with_name("ep"), "serve"], env=env, stdout=log, stderr=log)
        stack = Stack(process, f"http://127.0.0.1:{port}")
        try:
            _wait_until_ready(stack, folder / "log")
            yield stack
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def _wait_until_ready(stack: Stack, log: Path) -> None:
    end = time.monotonic() + READY_S
    while time.monotonic() < end and stack.process.poll() is None:
        try:
            if stack.client.get("/readyz").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    pytest.fail(f"the stack didn't come up:\n{log.read_text()}")
