"""The stack that the commands measure: a Redis, API processes and workers of its own, to be killed and restarted."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self, TypeVar

import httpx
from redis import Redis, RedisError

from ep_core.models.runtime.heap import resident_bytes
from service.run.embedded_redis import EmbeddedRedis
from service.run.processes import spawn, stop
from worker.broker.liveness import live_workers
from worker.broker.queue import connect

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples"
TINY = "tiny"
READY_S = 120.0
GRACE_S = 15.0
MODELS = """
[models.tiny]
entry_point = "tiny_models:Tiny"
labels = ["no", "yes"]
preprocessing = { input_size = [32, 32], mean = [0.5, 0.5, 0.5], std = [0.5, 0.5, 0.5] }

[models.mobilenet_v2]
torchvision = "mobilenet_v2"
"""

_SERVER_ERROR = re.compile(r"\bstatus=5\d\d\b")

T = TypeVar("T")


class NotReady(RuntimeError):
    """A part of the stack didn't come up in time; the message ends with its last lines."""


class Process:
    """One process of the stack; its output goes to a file.

    Args:
        name: what to call it.
        module: what `python -m` runs.
        env: its whole environment.
        log: where it writes; restarts append.
    """

    def __init__(self, name: str, module: str, *, env: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        self._argv = [sys.executable, "-P", "-m", module]
        self._env = env
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, for the first time or again; from a thread that lives as long as it shall."""
        with self.log.open("ab") as output:
            self._process = spawn(self._argv, env=self._env, output=output.fileno())

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End it without any warning (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self, *, grace_s: float = GRACE_S) -> None:
        """Ask it to end (SIGTERM)."""
        if self._process is not None:
            stop([self._process], grace_s=grace_s)

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def rss_bytes(self) -> int:
        """Return the memory that it holds (Linux)."""
        return resident_bytes(self.pid)

    def cpu_s(self) -> float:
        """Return the seconds of CPU that it has used, in user and system mode (Linux)."""
        return cpu_s(self.pid)

    def last_lines(self, count: int = 15) -> str:
        """Return the end of its output."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:]) if self.log.exists() else ""


class Stack:
    """Redis, API processes and workers in a temporary folder, from entering the ``with`` block to leaving it.

    Args:
        apis: how many API processes, each on a port of its own.
        workers: how many workers.
        models: the model list (TOML).
        settings: more of the services' environment, ``EP_...``.
    """

    def __init__(self, *, apis: int = 1, workers: int = 1, models: str = MODELS, **settings: object) -> None:
        self._folder = TemporaryDirectory(prefix="ep-reliability-")
        self.folder = Path(self._folder.name)
        self.redis = EmbeddedRedis(self.folder / "redis")
        listed = self.folder / "models.toml"
        listed.write_text(models)
        self.env = _environment(self.redis.url, listed, max(1, workers)) | {k: str(v) for k, v in settings.items()}
        """Environment of its processes."""
        self.ports = [_free_port() for _ in range(apis)]
        self.apis = [self._process(f"api-{k}", "service", EP_PORT=str(port)) for k, port in enumerate(self.ports)]
        self.workers = [self._process(f"worker-{k}", "worker") for k in range(workers)]
        self._running = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as running:  # undone in reverse
            running.callback(self._folder.cleanup)
            running.callback(self.redis.stop)
            self.redis.start()
            for process in (*self.apis, *self.workers):
                running.callback(process.kill)
                process.start()
            self.wait_ready()
            self._running = running.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    def url(self, api: int = 0) -> str:
        """Return the address of an API process."""
        return f"http://127.0.0.1:{self.ports[api]}"

    def client(self, api: int = 0, *, timeout_s: float = 30.0) -> httpx.Client:
        """Return a client of an API process."""
        return httpx.Client(base_url=self.url(api), timeout=timeout_s)

    def connect(self) -> Redis:
        """Return a client of its Redis."""
        return connect(self.redis.url)

    def wait_ready(self) -> None:
        """Wait until all API processes answer and all workers are ready to work.

        Raises:
            NotReady: one isn't in time, or has ended.
        """
        for k in range(len(self.apis)):
            self.wait_api(k)
        with self.connect() as redis:
            wanted = len(self.workers)
            for worker in self.workers:
                self._wait(worker, lambda: live_workers(redis) >= wanted)

    def wait_api(self, api: int = 0) -> None:
        """Wait until an API process answers."""
        self._wait(self.apis[api], lambda: httpx.get(f"{self.url(api)}/healthz", timeout=2.0).is_success)

    def logs(self) -> str:
        """Return all output of the APIs and workers."""
        return "".join(p.log.read_text(errors="replace") for p in (*self.apis, *self.workers) if p.log.exists())

    def server_errors(self) -> list[str]:
        """Return the lines of the log about answers of 5xx."""
        return [line for line in self.logs().splitlines() if _SERVER_ERROR.search(line)]

    def _process(self, name: str, module: str, **env: str) -> Process:
        return Process(name, module, env=self.env | env, log=self.folder / f"{name}.log")

    def _wait(self, process: Process, is_ready: Callable[[], bool]) -> None:
        def ready() -> bool:
            if not process.running:
                raise NotReady(f"{process.name} has ended:\n{process.last_lines()}")
            try:
                return is_ready()
            except (httpx.TransportError, RedisError):
                return False

        if not wait_until(ready, within_s=READY_S):
            raise NotReady(f"{process.name} isn't ready after {READY_S:.0f} s:\n{process.last_lines()}")


def wait_until(holds: Callable[[], T], *, within_s: float, every_s: float = 0.05) -> T:
    """Call until the result is true, or time is up; returns the last result."""
    deadline = time.monotonic() + within_s
    while not (answer := holds()) and time.monotonic() < deadline:
        time.sleep(every_s)
    return answer


def cpu_s(pid: int) -> float:
    """Return the seconds of CPU that a process has used, in user and system mode (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _environment(redis_url: str, models: Path, workers: int) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("EP_")}
    path = os.pathsep.join(filter(None, (str(ROOT), str(Path(__file__).parent), inherited.get("PYTHONPATH"))))
    return inherited | {
        "EP_REDIS_URL": redis_url,
        "EP_HOST": "127.0.0.1",
        "EP_MODELS_FILE": str(models),
        "EP_WORKERS": str(workers),
        "EP_PRELOAD": TINY,
        "EP_THREADS": "1",  # the other cores are for the API, Redis and the clients
        "PYTHONPATH": path,
        "PYTHONUNBUFFERED": "1",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
