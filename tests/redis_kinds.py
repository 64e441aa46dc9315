"""Other kinds of Redis than one server: a primary with a replica and Sentinels, and a node of a cluster."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from redis import Redis, RedisError

from service.run.embedded_redis import find_redis_server

PRIMARY = "jobs"
PASSWORD = "of-all"
READY_S = 30.0
DOWN_MS = 500


class Watched:
    """A primary and its replica, which one Sentinel watches; a password for all three."""

    def __init__(self, folder: Path, running: ExitStack) -> None:
        ports = [_free_port() for _ in range(3)]
        self._folder, self._running = folder, running
        own = [f"requirepass {PASSWORD}", f"masterauth {PASSWORD}", "repl-diskless-sync-delay 0"]
        self._primary = self._start(ports[0], *own)
        self._start(ports[1], *own, f"replicaof 127.0.0.1 {ports[0]}")
        replica = Redis(port=ports[1], password=PASSWORD)
        _wait(lambda: replica.info("replication")["master_link_status"] == "up")
        self._start(
            ports[2],
            f"requirepass {PASSWORD}",
            f"sentinel monitor {PRIMARY} 127.0.0.1 {ports[0]} 1",
            f"sentinel auth-pass {PRIMARY} {PASSWORD}",
            f"sentinel down-after-milliseconds {PRIMARY} {DOWN_MS}",
            f"sentinel failover-timeout {PRIMARY} 2000",
            kind="sentinel",
        )
        sentinel: Any = Redis(port=ports[2], password=PASSWORD)
        _wait(lambda: sentinel.sentinel_master(PRIMARY)["num-slaves"] == 1)
        self.url = f"redis+sentinel://127.0.0.1:{ports[2]}/{PRIMARY}/0?sentinel_password={PASSWORD}"

    def kill_primary(self) -> None:
        """End the primary without any warning."""
        self._primary.kill()
        self._primary.wait()

    def _start(self, port: int, *lines: str, kind: str = "server") -> subprocess.Popen[bytes]:
        return self._running.enter_context(_redis(self._folder, port, *lines, kind=kind))


@contextmanager
def watched_redis(folder: Path) -> Iterator[Watched]:
    """A Redis that Sentinels watch."""
    with ExitStack() as running:
        yield Watched(folder, running)


@contextmanager
def cluster_node(folder: Path) -> Iterator[str]:
    """A cluster of one node, which has all keys; gives its address."""
    port = _free_port()
    with _redis(folder, port, "cluster-enabled yes"), Redis(port=port) as redis:
        redis.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        _wait(lambda: redis.cluster("info")["cluster_state"] == "ok")  # type: ignore[no-untyped-call]
        yield f"redis://127.0.0.1:{port}"


@contextmanager
def _redis(folder: Path, port: int, *lines: str, kind: str = "server") -> Iterator[subprocess.Popen[bytes]]:
    place = folder / str(port)
    place.mkdir()
    config = place / "redis.conf"
    config.write_text(
        "\n".join([f"port {port}", "bind 127.0.0.1", f"dir {place}", 'save ""' if kind == "server" else "", *lines])
    )
    argv = [find_redis_server(), str(config), *(["--sentinel"] if kind == "sentinel" else [])]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    try:
        _wait(lambda: socket.create_connection(("127.0.0.1", port), 1).close() is None)
        yield process
    finally:
        process.kill()
        process.wait()


def _wait(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + READY_S
    while True:
        try:
            if holds():
                return
        except (OSError, RedisError, KeyError):
            pass
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
