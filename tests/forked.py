"""Workers and APIs that are forked from a process that has imported all they need: that takes seconds, a fork none."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path

PRELOADED = ("pytest", "worker.process.main", "worker.process.job", "captum.attr", "matplotlib.figure")
PRELOADED += ("service.__main__", "tests.frozen", "jinja2", "matplotlib.backends.backend_svg")
NETWORKS = Path(__file__).parent / "process" / "worker"  # of the tests' model lists

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(list(PRELOADED))


def forked_worker(env: Mapping[str, str], log: Path) -> BaseProcess:
    """Return a process, not started yet, that does what `python -m worker` does.

    What torch reads of the environment while it is imported (`OMP_...`) is that of the tests' process.

    Args:
        env: its whole environment.
        log: what it writes is added to this file.
    """
    return forked(work, env, log)


def forked_api(env: Mapping[str, str], log: Path) -> BaseProcess:
    """Return a process, not started yet, that does what `python -m service` does; arguments as of `forked_worker`."""
    return forked(_serve, env, log)


def forked(main: Callable[[], int], env: Mapping[str, str], log: Path) -> BaseProcess:
    """Return a process, not started yet, that ends with what `main` returns; arguments as of `forked_worker`."""
    return _forks.Process(target=_run, args=(main, dict(env), log), daemon=True)


def _run(main: Callable[[], int], env: Mapping[str, str], log: Path) -> None:
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(output, stream.fileno())
    os.environ.clear()
    os.environ.update(env)
    _cover_for(env.get("PYTEST_CURRENT_TEST"))
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # as `python -m worker` ends


def _cover_for(test: str | None) -> None:
    """Tell coverage, where it measures (`tests.mutation`), which test has started this process."""
    if test and "coverage" in sys.modules:
        measuring = sys.modules["coverage"].Coverage.current()
        if measuring is not None:
            measuring.switch_context(test)


def work() -> int:
    """Do what `python -m worker` does."""
    sys.path[:0] = [str(NETWORKS), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    from worker.__main__ import main

    return main([])


def _serve() -> int:
    from service.__main__ import main

    return main()
