"""Child processes that end with their parent, and the signals that stop them."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Any, Self

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    output: int = subprocess.DEVNULL,
    keep_open: Sequence[int] = (),
    death_signal: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start `argv` in a session of its own, so that Ctrl-C reaches the parent alone, which then stops it in order.

    Call from the main thread: on Linux the child gets `death_signal` as soon as the calling thread is gone.

    Args:
        argv: the command and its arguments.
        env: the whole environment; None inherits it.
        cwd: the folder it works in; None inherits it.
        stdin: its standard input.
        output: where its standard output and error go together, for example ``subprocess.PIPE``.
        keep_open: file descriptors that it inherits.
        death_signal: what it gets when its parent dies without having stopped it.
    """
    parent = os.getpid()

    def tie_to_parent() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent:  # it died between fork and prctl
            os._exit(1)

    return subprocess.Popen(
        argv,
        env=env,
        cwd=cwd,
        stdin=stdin,
        stdout=output,
        stderr=subprocess.STDOUT,
        pass_fds=keep_open,
        start_new_session=True,
        preexec_fn=tie_to_parent,
    )


def stop(
    processes: Sequence[subprocess.Popen[bytes]], *, grace_s: float, hurry: Callable[[], bool] = lambda: False
) -> None:
    """Ask all of `processes` to end (SIGTERM); kill those that still run after `grace_s` seconds, or once `hurry()`."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + grace_s
    while any(process.poll() is None for process in processes):
        if time.monotonic() > deadline or hurry():
            for process in processes:
                process.kill()
        time.sleep(0.02)


class StopRequests:
    """Counts Ctrl-C, SIGTERM and SIGHUP inside its ``with`` block: the first requests a stop, another one haste."""

    def __init__(self) -> None:
        self._count = 0
        self._previous: dict[signal.Signals, Any] = {}

    @property
    def stop(self) -> bool:
        """Whether everything shall stop."""
        return self._count > 0

    def hurry(self) -> bool:
        """Return whether it shall stop at once."""
        return self._count > 1

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._previous[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._count += 1
