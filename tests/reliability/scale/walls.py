"""Walls of the service, from what was measured: how many jobs a minute each part takes, and what moves it."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .costs import Costs
from .replay import Rate

GB, MB = 1e9, 1e6
PER_MINUTE = 10_000
"""Rate for which the shares are told."""
MEMORY_GB = 16
DISK_MB_S = 200
RETENTION_S, SHORT_RETENTION_S = 86_400, 3600  # the default, and an hour
MAX_CLIENTS = 10_000  # Redis's own default
FILLED = 0.9  # of Redis's memory: a tenth is kept free (`worker.broker.scripts.SPARE`)
FULL_CORE = 0.9  # of a core, before what waits for it grows
LATE_S = 1.0  # a rate holds where jobs end so much later than they could, at most,
HELD = 0.95  # and where so large a share of them ends


@dataclass(frozen=True)
class Wall:
    """A part that takes so many jobs a minute and no more."""

    name: str
    per_minute: float
    at_reference: str
    """Use of it at `PER_MINUTE`."""
    moved_by: str
    """Settings that move it, or the machine."""


def holds(rate: Rate) -> bool:
    """Return whether jobs end as fast as they come, and in time."""
    return rate.finished_per_minute >= HELD * rate.per_minute and rate.late_s <= LATE_S


def walls(costs: Costs, with_files: Sequence[Rate], without: Sequence[Rate], *, job_s: float) -> list[Wall]:
    """Return the walls, the lowest first.

    Args:
        costs: of the parts.
        with_files: rates that were simulated with files in Redis.
        without: the same with files elsewhere.
        job_s: seconds that a job runs.
    """
    served = api_s(costs, asked_s=(1 + round(job_s)) * costs.parts["poll"].api_s)
    followed = api_s(costs, asked_s=job_s * costs.parts["watching, a second"].api_s)
    workers = MAX_CLIENTS / costs.connections / job_s if costs.connections else 0.0
    to_less = "`EP_BLOB_URL` (files on S3, or a disk)"
    found = [
        _memory(costs, "files in Redis, a day", f"{to_less}; then `EP_RETENTION_S`", files=True, kept_s=RETENTION_S),
        _memory(costs, "files elsewhere, a day", "`EP_RETENTION_S`; `maxmemory`", files=False, kept_s=RETENTION_S),
        _memory(costs, "files elsewhere, an hour", "`maxmemory`", files=False, kept_s=SHORT_RETENTION_S),
        _written(costs.sent, "files in Redis", f"{to_less}; a faster disk"),
        _written(costs.sent_beside_files, "files elsewhere", "a faster disk"),
        _core("an API process whose clients poll", served, "more of them; rarer polls, webhooks"),
        _core("an API process whose clients follow events", followed, "more of them; webhooks"),
        *_redis("Redis's core, files in Redis", with_files, to_less),
        *_redis("Redis's core, files elsewhere", without, "a Redis with APIs and workers for some of the clients"),
        Wall(
            "connections to Redis",
            60 * workers,
            f"{PER_MINUTE / 60 * job_s * costs.connections:,.0f} connections",
            "`maxclients` of Redis; faster workers",
        ),
    ]
    return sorted((wall for wall in found if wall.per_minute), key=lambda wall: wall.per_minute)


def api_s(costs: Costs, *, asked_s: float) -> float:
    """Return the CPU seconds of the API that a job takes: its post, result and a picture.

    Args:
        costs: of the parts.
        asked_s: CPU seconds of what its client asks until it has ended.
    """
    return asked_s + sum(costs.parts[name].api_s for name in ("post", "result", "picture"))


def kept(costs: Costs, *, files: bool) -> float:
    """Return the bytes of Redis that a finished job takes."""
    return sum(size for kind, size in costs.kept.items() if files or kind != "blobs")


def _memory(costs: Costs, what: str, moved_by: str, *, files: bool, kept_s: float) -> Wall:
    size, minutes = kept(costs, files=files), kept_s / 60
    needed = PER_MINUTE * minutes * size / GB
    return Wall(f"Redis's memory, {what}", MEMORY_GB * GB * FILLED / size / minutes, f"{needed:,.0f} GB", moved_by)


def _written(size: float, what: str, moved_by: str) -> Wall:
    """Return the wall of a disk to which Redis writes so many bytes for a job."""
    name = f"what Redis writes to its append-only file, {what}"
    per_minute = 60 * DISK_MB_S * MB / size if size else 0.0
    return Wall(name, per_minute, f"{PER_MINUTE / 60 * size / MB:,.0f} MB a second", moved_by)


def _redis(name: str, rates: Sequence[Rate], moved_by: str) -> list[Wall]:
    """Return the wall of Redis's core, from the highest rate that held; none where none did."""
    held = [rate for rate in rates if holds(rate)]
    return [_core(name, 60 * held[-1].redis_core / held[-1].finished_per_minute, moved_by)] if held else []


def _core(name: str, seconds: float, moved_by: str) -> Wall:
    """Return the wall of a core of which a job takes so many seconds."""
    share = PER_MINUTE / 60 * seconds
    return Wall(name, FULL_CORE * 60 / seconds, f"{share:.2f} cores", moved_by)


def machine_class() -> str:
    """Return the kind of this machine, in a few words."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.partition(": ")[2] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor() or platform.machine()
    return f"{os.cpu_count()} cores, {model}"
