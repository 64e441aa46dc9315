"""Plots of a measurement, as one SVG: the jobs as they came, and how long they waited."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from .figures import Measured, first_come_waits, to_first_step

WIDTH, ROW, PANEL, GAP, LEFT, TOP = 900, 10, 200, 60, 60, 40
WAITING, PREPARING, LONG, SMALL, INK = "#d0d0d0", "#f0c987", "#3b75af", "#c44e52", "#333"
TICKS = 6


@dataclass(frozen=True)
class _Axes:
    """Rectangle of a panel, with its numbers from 0 to the largest."""

    left: float
    top: float
    width: float
    height: float
    most_x: float
    most_y: float

    def x(self, value: float) -> float:
        return self.left + self.width * value / self.most_x

    def y(self, value: float) -> float:
        return self.top + self.height * (1 - value / self.most_y)

    def drawn(self, title: str, of_x: str) -> Iterator[str]:
        """Yield the title, the axis below, and its numbers."""
        bottom = self.top + self.height
        yield _text(self.left, self.top - 10, title, weight="bold")
        yield f'<path d="M{self.left:.1f} {bottom:.1f}H{self.left + self.width:.1f}" stroke="{INK}" fill="none"/>'
        for value in _ticks(self.most_x):
            yield _text(self.x(value), bottom + 14, f"{value:g}", anchor="middle")
        yield _text(self.left + self.width, bottom + 28, of_x, anchor="end")


def plot(measured: Measured) -> str:
    """Return the plots as an SVG document."""
    jobs = measured.by_chance.jobs
    high = ROW * len(jobs)
    below = TOP + high + GAP + 20
    half = (WIDTH - 2 * LEFT - GAP) / 2
    parts = [*_lines_of_jobs(measured, _Axes(LEFT, TOP, WIDTH - 2 * LEFT, high, measured.by_chance.wall_s, high))]
    seconds = to_first_step(jobs)
    if seconds:
        axes = _Axes(LEFT, below, half, PANEL, max(seconds) or 1.0, 1.0)
        parts += axes.drawn("Share of jobs, from taken to the first step", "seconds at most")
        parts += _shares(axes, seconds, LONG)
    small = [job.wait_s for job in measured.by_chance.some(small=True)]
    if small:
        in_line = first_come_waits(measured)
        axes = _Axes(LEFT + half + GAP, below, half, PANEL, max(*small, *in_line), 1.0)
        parts += axes.drawn("Share of small jobs, posted to finished (grey: in a line)", "seconds at most")
        parts += [*_shares(axes, small, SMALL), *_shares(axes, in_line, WAITING)]
    height = below + PANEL + 40
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'font-family="sans-serif" font-size="11" fill="{INK}">\n<rect width="100%" height="100%" fill="white"/>\n'
        f"{body}\n</svg>\n"
    )


def _lines_of_jobs(measured: Measured, axes: _Axes) -> Iterator[str]:
    """Yield a line for each job: how long it waited, was prepared, and was worked on."""
    phase = measured.by_chance
    yield from axes.drawn(f"Jobs as they came, at {measured.load:.0%} of the most", "seconds")
    named = {"waits": WAITING, "is prepared": PREPARING, "runs": LONG, "a small one runs": SMALL}
    for k, (name, colour) in enumerate(named.items()):
        at = axes.left + axes.width - 110 * (len(named) - k)
        yield f'<rect x="{at}" y="{axes.top - 19}" width="10" height="10" fill="{colour}"/>'
        yield _text(at + 14, axes.top - 10, name)
    for k, job in enumerate(phase.jobs):
        times = [job.posted, job.taken, job.first_step or job.taken, job.finished]
        colours = [WAITING, PREPARING, SMALL if job.small else LONG]
        for colour, begin, end in zip(colours, times, times[1:], strict=False):
            left, right = axes.x(begin - phase.began), axes.x(end - phase.began)
            yield (
                f'<rect x="{left:.1f}" y="{axes.top + k * ROW + 1}" width="{max(0.0, right - left):.1f}" '
                f'height="{ROW - 2}" fill="{colour}"/>'
            )


def _shares(axes: _Axes, values: Sequence[float], colour: str) -> Iterator[str]:
    """Yield the share of values that are at most so large, as steps."""
    ordered = sorted(values)
    path = f"M{axes.x(0):.1f} {axes.y(0):.1f}"
    for k, value in enumerate(ordered):
        path += f"H{axes.x(value):.1f}V{axes.y((k + 1) / len(ordered)):.1f}"
    yield f'<path d="{path}H{axes.x(axes.most_x):.1f}" stroke="{colour}" stroke-width="2" fill="none"/>'


def _ticks(most: float) -> Iterator[float]:
    """Yield round numbers from 0 to the largest."""
    size = 10 ** math.floor(math.log10(most / TICKS))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor * TICKS >= most)
    for k in range(math.floor(most / step) + 1):
        yield float(f"{k * step:.6g}")


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: str = "normal") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">{escape(text)}</text>'
