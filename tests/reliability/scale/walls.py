"""Walls of the service, from the measured costs: how many jobs a minute each part takes, and what moves it."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from .costs import Costs

GB = 1e9
REFERENCE = {"per_minute": 10_000, "memory_gb": 16, "retention_s": 86_400, "short_retention_s": 3600, "poll_s": 1.0}
"""What walls are computed for: a Redis of so much memory, the default retention and a short one, a client's polls."""
FILLED = 0.9  # of Redis's memory: a tenth is kept free (`worker.broker.scripts.SPARE`)
FULL_CORE = 0.9  # of a core, before what waits for it grows


@dataclass(frozen=True)
class Wall:
    """A part that takes so many jobs a minute and no more."""

    name: str
    per_minute: float
    at_reference: str
    """What it takes at the reference rate."""
    moved_by: str
    """What moves it: the setting, or the machine."""


def redis_s(costs: Costs, *, job_s: float) -> float:
    """Return the CPU seconds of Redis that a job takes which runs for so long, with what its client asks."""
    whole, parts = costs.parts["whole job"].redis_s, costs.parts
    running = max(0.0, parts["running, a second"].redis_s - parts["idle, a second"].redis_s)
    asked = polls(job_s) * parts["poll"].redis_s + parts["result"].redis_s + parts["picture"].redis_s
    return whole + job_s * running + asked + parts["expired"].redis_s


def api_s(costs: Costs, *, job_s: float) -> float:
    """Return the CPU seconds of the API that a job takes: its post, polls, result and a picture."""
    parts = costs.parts
    return parts["post"].api_s + polls(job_s) * parts["poll"].api_s + parts["result"].api_s + parts["picture"].api_s


def polls(job_s: float) -> int:
    """Return how often a client asks for the state of a job that runs for so long."""
    return round(job_s / REFERENCE["poll_s"]) + 1


def kept(costs: Costs, *, files: bool) -> float:
    """Return the bytes of Redis that a finished job takes."""
    return sum(size for kind, size in costs.kept.items() if files or kind != "blobs")


def walls(costs: Costs, *, job_s: float) -> list[Wall]:
    """Return the walls, the lowest first."""
    found = [
        _memory(costs, "files in Redis, kept for a day", "EP_BLOB_URL", files=True, retention="retention_s"),
        _memory(costs, "files elsewhere, kept for a day", "EP_RETENTION_S", files=False, retention="retention_s"),
        _memory(costs, "files elsewhere, kept for an hour", "memory", files=False, retention="short_retention_s"),
        _core("Redis's core", redis_s(costs, job_s=job_s), "fewer polls; a Redis for each group of clients"),
        _core("an API process", api_s(costs, job_s=job_s), "more of them"),
    ]
    return sorted(found, key=lambda wall: wall.per_minute)


def _memory(costs: Costs, what: str, moved_by: str, *, files: bool, retention: str) -> Wall:
    room, size = REFERENCE["memory_gb"] * GB * FILLED, kept(costs, files=files)
    minutes = REFERENCE[retention] / 60
    needed = REFERENCE["per_minute"] * minutes * size / GB
    return Wall(f"Redis's memory, {what}", room / size / minutes, f"{needed:,.0f} GB", moved_by)


def _core(name: str, seconds: float, moved_by: str) -> Wall:
    share = REFERENCE["per_minute"] / 60 * seconds
    return Wall(name, FULL_CORE * 60 / seconds, f"{share:.2f} cores", moved_by)


def machine_class() -> str:
    """Return the kind of this machine, in a few words."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.partition(": ")[2] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor() or platform.machine()
    return f"{os.cpu_count()} cores, {model}"
