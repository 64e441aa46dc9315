"""`python -m worker`: run a worker. `python -m worker --check`: exit code 0 where one is alive on this host, else 1."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
from collections.abc import Sequence
from types import FrameType

from pydantic import ValidationError
from redis.exceptions import RedisError

from ep_core.errors import InvalidInput, ModelUnavailable
from ep_core.models.runtime.heap import keep_freed_memory
from ep_core.models.runtime.threads import spin_briefly
from ep_core.schemas.wording import lines, setting
from worker.broker.liveness import live_workers
from worker.broker.queue import RedisIsCluster, connect
from worker.observe.logs import setup_logging

from .settings import WorkerSettings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="worker", description="Runs the jobs. Settings: EP_... in the environment.")
    parser.add_argument("--check", action="store_true", help="say whether a worker is alive on this host, and exit")
    parser.add_argument("--redis-may-be-away", action="store_true", help="with --check: then say that it is alive")
    options = parser.parse_args(arguments)
    try:
        settings = WorkerSettings()
    except ValidationError as error:
        return _complain(*lines(error.errors(), setting))
    return _check(settings, unknown=0 if options.redis_may_be_away else 1) if options.check else _serve(settings)


def _check(settings: WorkerSettings, *, unknown: int) -> int:
    try:
        alive = live_workers(connect(settings.redis_url, retries=0, timeout_s=2.0), host=socket.gethostname())
    except RedisError as error:
        print(f"Redis: {error}", file=sys.stderr)
        return unknown
    return 0 if alive else 1


def _serve(settings: WorkerSettings) -> int:
    setup_logging(json=settings.log_json)
    spin_briefly()
    keep_freed_memory()
    try:
        signal.signal(signal.SIGTERM, _end)  # as the first process of a container it would be ignored
        from worker.process.main import serve  # imports torch

        return serve(settings)
    except SystemExit as end:
        return int(end.code or 0)
    except (InvalidInput, ModelUnavailable, RedisIsCluster) as error:
        return _complain(str(error))
    except KeyboardInterrupt:  # before the work began
        return 130


def _end(number: int, _frame: FrameType | None) -> None:
    """End a worker that hasn't begun to take jobs."""
    sys.exit(128 + number)


def _complain(*lines: str) -> int:
    for line in lines:
        print(line, file=sys.stderr)
    return os.EX_CONFIG


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # a poisoned GPU can hang the interpreter's own way out
