"""Rates that hold: a job's trace at more and more jobs a minute, until they don't; then all of it has to go."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from redis import Redis

from tests.reliability.report import Line, Report
from tests.reliability.stack import wait_until
from worker.janitor import run_janitor
from worker.settings import SharedSettings

from .replay import Rate, replay
from .trace import Trace
from .walls import holds

MB = 1e6
MOST_LEFT_MB = 2.0  # tables that shrink later, connections: less than any job with files takes
TIDY_S = 10.0
SPARE_WORKERS = 1.3  # as many as are busy, and some more
_SERVICE = (b"ep:stats", b"ep:workers", b"ep:state", b"ep:janito", b"ep:models", b"ep:wake", b"rq:worker", b"rq:queues")


def measure_rates(
    trace: Trace, settings: SharedSettings, rates: Sequence[int], line: Line, *, seconds: float
) -> list[Rate]:
    """Run a trace at each rate until one doesn't hold; return what was measured.

    Args:
        trace: of a job.
        settings: where Redis is.
        rates: jobs a minute, increasing.
        line: told of the progress.
        seconds: of each.
    """
    found: list[Rate] = []
    for per_minute in rates:
        line.show(f"{per_minute:,} jobs a minute")
        workers = round(SPARE_WORKERS * per_minute / 60 * trace.run[-1][0]) + 2
        found.append(replay(trace, settings.redis_url, per_minute=per_minute, workers=workers, seconds=seconds))
        if not holds(found[-1]):
            break
    return found


class Sweeping:
    """Janitor in a thread, inside its ``with`` block."""

    def __init__(self, settings: SharedSettings) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=run_janitor, args=(settings, self._stop), daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10.0)


def check_nothing_stays(
    result: Report, redis: Redis, rates: Sequence[Rate], *, retention_s: int, used_before: int
) -> None:
    """Wait until the retention of all jobs is over, and report what is left, and which errors there were.

    Args:
        result: where to.
        redis: a client.
        rates: that were run.
        retention_s: of their jobs.
        used_before: Redis's memory before all of them, in bytes.
    """
    wait_until(lambda: not left(redis), within_s=retention_s + TIDY_S, every_s=0.25)
    keys = left(redis)
    redis.memory_purge()
    grown = redis.info("memory")["used_memory"] - used_before
    result.tell("jobs run at these rates", sum(rate.jobs for rate in rates))
    result.at_most("MB of Redis that they left", round(grown / MB, 2), MOST_LEFT_MB)
    result.equals("keys left of these jobs when their retention is over", len(keys), 0)
    result.equals("errors of Redis in all of them", sum(sum(rate.errors.values()) for rate in rates), 0)
    result.lines += [f"left: {key.decode()}" for key in keys[:20]]
    result.lines += [f"{kind}: {count}" for rate in rates for kind, count in rate.errors.items()]


def left(redis: Redis) -> list[bytes]:
    """Return the keys that are there, but for those of the service itself: counters, workers, the version."""
    return [key for key in redis.scan_iter(count=1000) if not key.startswith(_SERVICE)]
