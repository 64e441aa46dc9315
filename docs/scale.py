"""Tables and the curve of docs/scale.md, from docs/results/scale.json: `python -m docs.scale`, after

`make scale ARGS="--out docs/results/scale.json"`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "docs" / "results" / "scale.json"
PICTURE = ROOT / "docs" / "images" / "scale.svg"
PAGE = ROOT / "docs" / "scale.md"
GB = 1e9
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

_WIDTH, _HEIGHT, _LEFT, _TOP, _PANEL, _GAP = 920, 400, 60, 50, 360, 100
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1b2430; }
.title { font-weight: 700; }
.axis { stroke: #57616f; fill: none; }
.grid { stroke: #dedad0; fill: none; }
.one { stroke: #a8481a; fill: none; stroke-width: 2; }
.two { stroke: #1a6fb0; fill: none; stroke-width: 2; }
.three { stroke: #3d7f3a; fill: none; stroke-width: 2; }
.limit { stroke: #57616f; fill: none; stroke-dasharray: 5 4; }
text.one, text.two, text.three, text.limit { stroke: none; }
text.limit { fill: #57616f; } text.one { fill: #a8481a; } text.two { fill: #1a6fb0; } text.three { fill: #3d7f3a; }
@media (prefers-color-scheme: dark) {
  text { fill: #e9ebee; } .axis, .limit { stroke: #a4aebb; } .grid { stroke: #303942; }
  .one { stroke: #f4a259; } .two { stroke: #6db8f2; } .three { stroke: #86c986; }
  text.limit { fill: #a4aebb; } text.one { fill: #f4a259; } text.two { fill: #6db8f2; } text.three { fill: #86c986; }
}
"""

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
    rows.append(("all but the files", f"{_kept(scale, files=False):,.0f}"))
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


def draw(scale: Result) -> str:
    """Return the curves, an SVG: Redis's core and Redis's memory by jobs a minute."""
    title = "Redis's core and memory by jobs a minute"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">'
    parts = [*_core(scale), *_memory(scale)]
    return "\n".join([head, f"<title>{title}</title>", f"<style>{_STYLE}</style>", *parts, "</svg>\n"])


def _core(scale: Result) -> Iterator[str]:
    """Yield the share of Redis's core at the rates that were simulated."""
    axes = _Axes(_LEFT, rates=(100, 100_000), values=(0.01, 1.0))
    yield from axes.frame("Redis's core, simulated (logarithmic)", {0.01: "1 %", 0.1: "10 %", 1.0: "100 %"})
    for row, (kind, files, name) in enumerate((("one", True, "files in Redis"), ("two", False, "files elsewhere"))):
        rates = [one for one in scale["rates"] if one["files"] is files and one["redis_core"] > 0]
        points = [(one["finished_per_minute"], one["redis_core"]) for one in rates]
        yield from axes.line(kind, points, name, row, marks=True)


def _memory(scale: Result) -> Iterator[str]:
    """Yield the bytes that finished jobs take, by rate, beside what there is."""
    axes = _Axes(_LEFT + _PANEL + _GAP, rates=(1, 100_000), values=(0.1, 100_000))
    ticks = {0.1: "0.1 GB", 10: "10 GB", 1000: "1 TB", 100_000: "100 TB"}
    yield from axes.frame("Redis's memory, computed (logarithmic)", ticks)
    told = scale["reference"]
    lines = (
        ("one", "files in Redis, a day", _kept(scale, files=True) * told["retention_s"]),
        ("two", "files elsewhere, a day", _kept(scale, files=False) * told["retention_s"]),
        ("three", "files elsewhere, an hour", _kept(scale, files=False) * told["short_retention_s"]),
    )
    for row, (kind, name, size) in enumerate(lines):
        yield from axes.line(kind, [(rate, rate * size / 60 / GB) for rate in (1, 100_000)], name, row)
    limit = [(rate, told["memory_gb"]) for rate in (1, 100_000)]
    yield from axes.line("limit", limit, f"a Redis of {told['memory_gb']} GB", len(lines))


class _Axes:
    """Panel whose axes are logarithmic."""

    def __init__(self, left: float, *, rates: tuple[float, float], values: tuple[float, float]) -> None:
        self._left = left
        self._rates = rates
        self._values = values
        self._bottom = _HEIGHT - 50.0

    def x(self, rate: float) -> float:
        return self._left + _PANEL * _share(rate, self._rates)

    def y(self, value: float) -> float:
        return self._bottom - (self._bottom - _TOP) * _share(value, self._values)

    def frame(self, title: str, ticks: Mapping[float, str]) -> Iterator[str]:
        """Yield the title, the axes and their numbers."""
        yield _text(self._left, _TOP - 22, title, "title")
        for value, name in ticks.items():
            yield f'<path class="grid" d="M{self._left:g} {self.y(value):.1f}h{_PANEL}"/>'
            yield _text(self._left - 6, self.y(value) + 4, name, anchor="end")
        for power in range(round(math.log10(self._rates[0])), round(math.log10(self._rates[1])) + 1):
            yield _text(self.x(10**power), self._bottom + 18, f"{10**power:,}", anchor="middle")
        yield f'<path class="axis" d="M{self._left:g} {_TOP}V{self._bottom:g}h{_PANEL}"/>'
        yield _text(self._left + _PANEL, self._bottom + 38, "jobs a minute", anchor="end")

    def line(
        self, kind: str, points: Sequence[tuple[float, float]], name: str, row: int, *, marks: bool = False
    ) -> Iterator[str]:
        """Yield a line as far as it is inside, and its name in a row of the legend."""
        inside = [(rate, value) for rate, value in _dense(points) if self._values[0] <= value <= self._values[1]]
        path = "L".join(f"{self.x(rate):.1f} {self.y(value):.1f}" for rate, value in inside)
        if path:
            yield f'<path class="{kind}" d="M{path}"/>'
        for rate, value in points if marks else ():
            yield f'<circle class="{kind}" cx="{self.x(rate):.1f}" cy="{self.y(value):.1f}" r="3"/>'
        x, y = self._left + 14, _TOP + 18 + 17 * row
        yield f'<path class="{kind}" d="M{x} {y - 4}h22"/>'
        yield _text(x + 30, y, name, kind)


def _dense(points: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Yield points with more of them between two, on straight lines of logarithms."""
    for (x, y), (next_x, next_y) in pairwise(points):
        for k in range(40):
            yield x * (next_x / x) ** (k / 40), y * (next_y / y) ** (k / 40)
    yield from points[-1:]


def _share(value: float, bounds: tuple[float, float]) -> float:
    return math.log(value / bounds[0]) / math.log(bounds[1] / bounds[0])


def _kept(scale: Result, *, files: bool) -> float:
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


def _text(x: float, y: float, said: str, kind: str = "", *, anchor: str = "start") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{named} text-anchor="{anchor}">{escape(said)}</text>'


if __name__ == "__main__":
    from .quoted import rewrite

    PICTURE.write_text(draw(read()), encoding="utf-8")
    PAGE.write_text(rewrite(PAGE.read_text(encoding="utf-8"), {"scale": read()}), encoding="utf-8")
