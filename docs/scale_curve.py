"""Curves of docs/scale.md, an SVG: Redis's core and Redis's memory by jobs a minute."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from xml.sax.saxutils import escape

from .scale import ROOT, Result, kept_bytes

PICTURE = ROOT / "docs" / "images" / "scale.svg"
GB = 1e9

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
        ("one", "files in Redis, a day", kept_bytes(scale, files=True) * told["retention_s"]),
        ("two", "files elsewhere, a day", kept_bytes(scale, files=False) * told["retention_s"]),
        ("three", "files elsewhere, an hour", kept_bytes(scale, files=False) * told["short_retention_s"]),
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


def _text(x: float, y: float, said: str, kind: str = "", *, anchor: str = "start") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{named} text-anchor="{anchor}">{escape(said)}</text>'
