"""Tables of docs/scale.md, from docs/results/scale.json: `python -m docs.scale`, after

`make scale ARGS="--out docs/results/scale.json"`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "docs" / "results" / "scale.json"
PAGE = ROOT / "docs" / "scale.md"
IDLE = 1.0  # load of a machine on which little else is at work
PARTS = {
    "whole job": "a job from its post to its end, which runs for no time; its files in Redis",
    "running, a second": "a second of running: progress, previews, leases",
    "idle, a second": "a second of one API and one worker without work",
    "post": "of the whole: the post",
    "poll": "a poll, `GET /v1/jobs/{id}`",
    "watching, a second": "a second of following its events",
    "result": "its result",
    "picture": "a picture",
    "list": "a page of 50 jobs",
    "expired": "an expired job leaves the lists",
}
KEPT = {
    "blobs": "files: masks, overlays, the page, the film (not with `EP_BLOB_URL`)",
    "job": "record",
    "events": "its last event",
    "request": "the key of its request (`Idempotency-Key`)",
    "results": "its content, for `reuse`",
    "lists": "places in lists, and the keys",
}

Result = Mapping[str, Any]


def read() -> Result:
    """Return what `make scale` has measured."""
    figures: Result = json.loads(RESULT.read_text())["figures"]
    return figures


def first_wall(scale: Result) -> str:
    """Return the first wall of the service as it is set by default, in a sentence."""
    wall = min(scale["walls"], key=lambda one: one["per_minute"])
    return f"**{_rate(wall['per_minute'])} jobs a minute**: {wall['name']}"


def held(scale: Result) -> str:
    """Return the highest rate that held with files elsewhere, in a sentence."""
    rates = [one for one in scale["rates"] if one["held"] and not one["files"]]
    if not rates:
        return "no rate held"
    most = rates[-1]
    workers, core = f"{most['workers']:,} simulated workers", f"{100 * most['redis_core']:.0f} % of Redis's one core"
    return f"**{most['per_minute']:,.0f} jobs a minute** held, with {workers} and {core}"


def measured_when(scale: Result) -> str:
    """Return when and on which machine it was measured, and whether others were at work on it."""
    beside = f", a busy machine (load {scale['load']:g} before)" if scale["load"] > IDLE else ""
    return f"{scale['measured_at']} UTC, {scale['machine']}{beside}"


def walls_table(scale: Result) -> str:
    """Return the walls, the lowest first."""
    rows = [
        (one["name"], _rate(one["per_minute"]), one["at_reference"], one["moved_by"])
        for one in sorted(scale["walls"], key=lambda one: one["per_minute"])
    ]
    heads = ("Wall", "Jobs a minute", f"At {scale['reference']['per_minute']:,} jobs a minute", "What moves it")
    return _table(heads, rows, right={1})


def rates_table(scale: Result) -> str:
    """Return the rates that were simulated."""
    rows = [
        (
            f"{one['per_minute']:,.0f}",
            f"{one['workers']:,}",
            "in Redis" if one["files"] else "elsewhere",
            f"{100 * one['redis_core']:.0f} %",
            f"{100 * one['scripts_core']:.0f} %",
            f"{one['commands_per_s']:,.0f}",
            f"{1000 * one['late_s']:,.0f}",
            "yes" if one["held"] else f"no: {one['finished_per_minute']:,.0f} end",
        )
        for one in scale["rates"]
    ]
    heads = (
        "Jobs a minute",
        "Workers",
        "Files",
        "Redis's core",
        "of it, scripts",
        "Commands a second",
        "Late, ms",
        "Holds",
    )
    return _table(heads, rows, right={0, 1, 3, 4, 5, 6})


def parts_table(scale: Result) -> str:
    """Return the costs of the parts."""
    rows = []
    for name, what in PARTS.items():
        one = scale["parts"][name]
        numbers = [1000 * one["redis_s"], 1000 * one["scripts_s"], 1000 * one["api_s"], 1000 * one["worker_s"]]
        rows.append((what, *map(_digits, numbers), f"{one['commands']:,.0f}" if one["commands"] >= 0.5 else ""))
    heads = ("Part", "Redis, ms", "of it, scripts", "API, ms", "Worker, ms", "Commands")
    return _table(heads, rows, right={1, 2, 3, 4, 5})


def kept_table(scale: Result) -> str:
    """Return what Redis holds of a finished job."""
    rows = [(what, f"{scale['kept'][kind]:,.0f}") for kind, what in KEPT.items()]
    rows.append(("all but the files", f"{kept_bytes(scale, files=False):,.0f}"))
    return _table(("Of a finished job", "Bytes"), rows, right={1})


def events(scale: Result) -> str:
    """Return what a running job's events take."""
    return f"{scale['events'] / 1e3:,.0f} kB"


def connections(scale: Result) -> str:
    """Return how many connections a worker has."""
    return f"{scale['connections']} connections"


def sweeps_table(scale: Result) -> str:
    """Return what the janitor's close look takes."""
    rows = [
        (f"{int(number):,}", f"{1000 * took:,.0f}", f"{1000 * of_redis:,.0f}")
        for number, (took, of_redis) in scale["sweeps"].items()
    ]
    return _table(("Unfinished jobs", "A close look, ms", "of it, Redis's, ms"), rows, right={0, 1, 2})


BLOCKS = {
    "scale-first": first_wall,
    "scale-held": held,
    "scale-when": measured_when,
    "scale-walls": walls_table,
    "scale-rates": rates_table,
    "scale-parts": parts_table,
    "scale-kept": kept_table,
    "scale-sweeps": sweeps_table,
    "scale-events": events,
    "scale-connections": connections,
}
"""Figures of the page, by their names (`docs.quoted`)."""


def kept_bytes(scale: Result, *, files: bool) -> float:
    """Return the bytes that Redis holds of a finished job, with its files or without."""
    return sum(float(size) for kind, size in scale["kept"].items() if files or kind != "blobs")


def _rate(per_minute: float) -> str:
    """Return a rate to two digits."""
    if per_minute < 10:
        return f"{per_minute:.1f}"
    digits = math.floor(math.log10(per_minute)) - 1
    return f"{round(per_minute, -digits):,.0f}"


def _digits(ms: float) -> str:
    return "" if ms < 0.0005 else f"{ms:.3f}" if ms < 0.1 else f"{ms:.2f}" if ms < 10 else f"{ms:.0f}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, right: set[int]) -> str:
    lines = [
        "| " + " | ".join(heads) + " |",
        "|" + "|".join("---:" if k in right else "---" for k in range(len(heads))) + "|",
    ]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n\n" + "\n".join(lines) + "\n\n"


if __name__ == "__main__":
    from .quoted import rewrite
    from .scale_curve import PICTURE, draw

    PICTURE.write_text(draw(read()), encoding="utf-8")
    PAGE.write_text(rewrite(PAGE.read_text(encoding="utf-8"), {"scale": read()}), encoding="utf-8")
