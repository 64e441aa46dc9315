"""Rates: a job's trace is sent to Redis for one job after the other, as many as are due, by simulated workers."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from .trace import Trace

PATIENCE_S = 20.0
"""Seconds for which jobs may go on after the last one was posted."""


@dataclass(frozen=True)
class Plan:
    """Plan of a rate."""

    port: int
    password: str
    trace: dict[str, Any]
    """A `Trace`, its bytes as base64."""
    per_minute: float
    workers: int
    seconds: float
    poll_s: float
    beat_s: float


@dataclass(frozen=True)
class Rate:
    """Measurements at a rate, after it has settled."""

    per_minute: float
    """Jobs that were to be posted."""
    finished_per_minute: float
    workers: int
    redis_core: float
    """Share of a core that Redis's main thread took."""
    scripts_core: float
    """Of these, what its Lua scripts took."""
    commands_per_s: float
    client_core: float
    """Share of a core that the simulation took itself."""
    late_s: float
    """Seconds from a job's posting to its end, beyond those that it runs: the 95th percentile."""
    waiting: int
    """Jobs that waited in the end."""
    used_memory: int
    """Bytes."""
    aof_bytes_per_s: float
    errors: dict[str, int]
    jobs: int
    """Jobs that were run in all."""


def replay(
    trace: Trace, url: str, *, per_minute: float, workers: int, seconds: float, poll_s: float = 1.0, beat_s: float = 3.0
) -> Rate:
    """Send the trace at a rate, in a process of its own, and return what was measured.

    Args:
        trace: of a job.
        url: of Redis, as `EmbeddedRedis` has it.
        per_minute: jobs a minute.
        workers: that take them.
        seconds: for which jobs are posted.
        poll_s: between a client's polls of its job.
        beat_s: between a worker's heartbeats.
    """
    found = re.fullmatch(r"redis://:(\w+)@127\.0\.0\.1:(\d+)/0", url)
    assert found is not None
    plan = Plan(int(found[2]), found[1], encoded(asdict(trace)), per_minute, workers, seconds, poll_s, beat_s)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "plan.json"
        path.write_text(json.dumps(asdict(plan)))
        argv = [sys.executable, "-m", f"{__package__}.simulated", str(path)]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=seconds + 3 * PATIENCE_S, check=False)
        if done.returncode:
            raise RuntimeError(f"the simulation failed: {done.stderr.strip()[-2000:]}")
        return Rate(**json.loads(done.stdout))


def encoded(value: Any) -> Any:
    """Return a trace as JSON has it, bytes as base64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {name: part if name == "job_id" else encoded(part) for name, part in value.items()}
    return [encoded(part) for part in value] if isinstance(value, list | tuple) else value


def decoded(value: Any) -> Any:
    """Return what `encoded` was given."""
    if isinstance(value, str):
        return base64.b64decode(value)
    if isinstance(value, dict):
        return {name: part if name == "job_id" else decoded(part) for name, part in value.items()}
    return [decoded(part) for part in value] if isinstance(value, list) else value
