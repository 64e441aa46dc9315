"""Supervisor of child processes: shows their output line by line under their names, and restarts one that dies."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Protocol

from ep_core.schemas.printable import printable

from .processes import spawn

EARLY_S = 10.0  # dying sooner than this is dying at the start
MAX_EARLY_DEATHS = 3
MAX_PAUSE_S = 30.0

Show = Callable[[str, str], None]
"""Shows one line of text under a name."""


class GaveUp(RuntimeError):
    """A child keeps dying right after its start; the message is one line."""


class Kept(Protocol):
    """A process that a `Keeper` keeps running."""

    name: str
    started_at: float

    def start(self) -> None:
        """Start it, for the first time or again."""

    def poll(self) -> int | None:
        """Return how it ended; None while it runs."""

    def drain(self) -> None:
        """Wait until the last lines of an ended process have been shown."""


class Child:
    """One child process; what it writes goes to `show` line by line.

    Args:
        name: how its lines are marked.
        argv: the command and its arguments.
        env: its whole environment.
        show: called from another thread with its name and each line.
    """

    def __init__(self, name: str, argv: Sequence[str], *, env: Mapping[str, str], show: Show) -> None:
        self.name = name
        self._argv = argv
        self._env = env
        self._show = show
        self.start()

    def start(self) -> None:
        """Start it, for the first time or again."""
        self.started_at = time.monotonic()
        self.process = spawn(self._argv, env=self._env, output=subprocess.PIPE)
        self._pump = threading.Thread(target=self._show_lines, args=(self.process.stdout,), daemon=True)
        self._pump.start()

    def poll(self) -> int | None:
        """Return how it ended; None while it runs."""
        return self.process.poll()

    def drain(self) -> None:
        """Wait until the last lines of an ended child have been shown."""
        self._pump.join(timeout=2.0)

    def _show_lines(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                self._show(self.name, printable(line.decode(errors="replace").rstrip(), keep="\t"))


class Keeper:
    """Starts `child` again when it ends, after a pause that doubles with each early death.

    Args:
        child: what to keep running.
        show: receives each end and restart.
    """

    def __init__(self, child: Kept, *, show: Show) -> None:
        self.child = child
        self._show = show
        self._early_deaths = 0
        self._restart_at: float | None = None

    def check(self) -> None:
        """Look after the child; call a few times a second, from the thread that started it.

        Raises:
            GaveUp: it died within `EARLY_S` seconds of its start, `MAX_EARLY_DEATHS` times in a row.
        """
        exit_code = self.child.poll()
        if exit_code is None:
            return
        now = time.monotonic()
        if self._restart_at is None:
            self._restart_at = now + self._pause_after_death(now - self.child.started_at, exit_code)
        elif now >= self._restart_at:
            self._restart_at = None
            self.child.start()

    def _pause_after_death(self, lived_s: float, exit_code: int) -> float:
        self.child.drain()
        self._early_deaths = self._early_deaths + 1 if lived_s < EARLY_S else 0
        if self._early_deaths >= MAX_EARLY_DEATHS:
            raise GaveUp(
                f"{self.child.name} ended right after its start {MAX_EARLY_DEATHS} times ({describe(exit_code)}): "
                "its own lines above say why"
            )
        pause_s = min(MAX_PAUSE_S, 0.5 * 2**self._early_deaths)
        self._show(self.child.name, f"ended ({describe(exit_code)}), starts again in {pause_s:g} s")
        return pause_s


def describe(exit_code: int) -> str:
    """Return an exit code in words: ``exit code 1``, ``killed by signal 9``."""
    return f"killed by signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
