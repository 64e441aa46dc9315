"""Number of cores that this process may use."""

from __future__ import annotations

import math
import os
from pathlib import Path

_CPU_MAX = Path("/sys/fs/cgroup/cpu.max")


def usable_cores() -> int:
    """Return the cores that this process may run on, by its affinity and its container's CPU quota; at least 1."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _container_quota(_CPU_MAX)
    return max(1, cores if quota is None else min(cores, math.ceil(quota)))


def threads_per_worker(workers: int) -> int:
    """Return the threads for each of `workers` processes: more than one per core would spin in each other's way."""
    return max(1, usable_cores() // workers)


def _container_quota(cpu_max: Path) -> float | None:
    """Return the cores' worth of time that the control group grants (``cpu.max``: quota and period in microseconds)."""
    try:
        quota, period = cpu_max.read_text().split()
    except (OSError, ValueError):
        return None
    return None if quota == "max" else int(quota) / int(period)
