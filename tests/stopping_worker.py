"""Workers that get a SIGTERM amid a chosen phase of a job: real ones, forked, the signal sent by their own code."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping
from functools import partial, wraps
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import structlog

from tests.forked import forked, work

CALLS = {"decoding": 1, "steps": 12, "scoring": 1, "storing": 6}
"""Phases of a job, and how many calls of each a small one makes at least."""


def stopping_worker(
    env: Mapping[str, str], log: Path, *, phase: str, stopped: Path, call: int = 0, delay_s: float = 0.0
) -> BaseProcess:
    """Return a worker, not started yet, that gets a SIGTERM in the first job which isn't in the file `stopped`.

    Args:
        env: its whole environment.
        log: what it writes is added to this file.
        phase: one of `CALLS`.
        stopped: ids of jobs amid which a worker was stopped, a line each; it adds its own.
        call: before which call of the phase, the first one's number being 0.
        delay_s: seconds after that.
    """
    return forked(partial(_work, phase, stopped, call, delay_s), env, log)


def _work(phase: str, stopped: Path, call: int, delay_s: float) -> int:
    import ep_core
    from ep_core.extremal.preparation import Prepared
    from worker.process.job import _Attempt
    from worker.process.progress import ProgressHook

    places: dict[str, tuple[Any, str]] = {
        "decoding": (ep_core, "read_image"),
        "steps": (ProgressHook, "__call__"),
        "scoring": (Prepared, "curve"),
        "storing": (_Attempt, "_keep"),
    }
    owner, name = places[phase]
    setattr(owner, name, _Stopping(stopped, call, delay_s).before(getattr(owner, name)))
    return work()


class _Stopping:
    def __init__(self, stopped: Path, call: int, delay_s: float) -> None:
        self._stopped = stopped
        self._spared = set(stopped.read_text().split()) if stopped.exists() else set()
        self._left = call
        self._delay_s = delay_s

    def before(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that gets the signal before, or while, it is called."""

        @wraps(call)
        def called(*args: Any, **options: Any) -> Any:
            self._maybe_stop(structlog.contextvars.get_contextvars().get("job"))
            return call(*args, **options)

        return called

    def _maybe_stop(self, job_id: str | None) -> None:
        if job_id is None or job_id in self._spared or self._left < 0:
            return
        self._left -= 1
        if self._left < 0:
            with self._stopped.open("a") as told:
                told.write(f"{job_id}\n")
            stop = partial(os.kill, os.getpid(), signal.SIGTERM)
            if self._delay_s:
                threading.Timer(self._delay_s, stop).start()
            else:
                stop()
