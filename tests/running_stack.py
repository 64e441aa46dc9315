"""The whole stack, as `make run` starts it: embedded Redis, API and one supervised worker."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

SAMPLES = Path(__file__).parents[1] / "samples"
WEBHOOK_SECRET = "whsec_c2VjcmV0cyBvZiB0ZXN0cyBhcmUgbm9uZQ=="
"""Of the messages of the stack that all tests share."""
READY_S = 90.0
STOP_S = 60.0


class Stack:
    """A running `ep serve`, on a port that was free, and a client for it.

    Args:
        folder: where its state and what it says go.
        packages: where its packages lie; None for those of this process.
        settings: more for its environment.
    """

    def __init__(self, folder: Path, *, packages: Path | None = None, **settings: object) -> None:
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.client = httpx.Client(base_url=self.url, timeout=90)
        self._env = os.environ | {"EP_PORT": str(port), "EP_STATE_DIR": str(folder / "state")}
        self._env |= {name: str(value) for name, value in settings.items()}
        if cores := os.environ.get("OMP_NUM_THREADS"):  # this process's share, where tests run side by side
            self._env.setdefault("EP_THREADS", cores)
        if packages is not None:
            self._env["PYTHONPATH"] = str(packages)
        self._packages = packages
        self._log = folder / "log"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.client.close()

    def start(self) -> None:
        """Start it and wait until jobs are taken and run."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [Path(sys.executable).with_name("ep"), "serve"],
                env=self._env,
                cwd=self._packages,  # `python -m` looks there first
                stdout=log,
                stderr=log,
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it; its jobs lie in the folder, and `start` finds them there."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(STOP_S)

    def post(self, image: str, *, reuse: bool = False, **params: Any) -> dict[str, Any]:
        """Post a sample; return the job, which runs although another test may have its result, but for `reuse`."""
        answer = self.client.post(
            "/v1/jobs",
            files={"image": (SAMPLES / f"{image}.jpg").read_bytes()},
            data={"params": json.dumps(params), "reuse": json.dumps(reuse)},
        )
        assert answer.status_code in (200, 202), answer.text
        return answer.json()

    def wait(self, job: dict[str, Any], *, until: Callable[[dict[str, Any]], bool], limit_s: float) -> dict[str, Any]:
        """Poll a job as a dashboard does."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            seen: dict[str, Any] = self.client.get(job["links"]["self"]).json()
            if until(seen):
                return seen
            time.sleep(0.2)
        raise AssertionError(f"after {limit_s} s still {seen}")

    def finish(self, job: dict[str, Any], *, limit_s: float = 200) -> dict[str, Any]:
        """Wait for a job's end; return how it ended."""
        return self.wait(job, until=lambda seen: seen["status"] not in ("queued", "running"), limit_s=limit_s)

    def worker_pid(self) -> int:
        """Return the worker's process id."""
        return self._child_pid("worker")

    def api_pid(self) -> int:
        """Return the API's process id."""
        return self._child_pid("service")

    def _child_pid(self, module: str) -> int:
        children = subprocess.run(
            ["ps", "--ppid", str(self.process.pid), "-o", "pid=,args="], capture_output=True, text=True, check=True
        )
        return next(int(line.split()[0]) for line in children.stdout.splitlines() if line.endswith(f"-m {module}"))

    def _wait_until_ready(self) -> None:
        end = time.monotonic() + READY_S
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if self.client.get("/readyz").status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.2)
        raise AssertionError(f"the stack didn't come up:\n{self._log.read_text()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
