"""Jobs that share one worker's device: `ep bench load` against a stack of its own."""

from __future__ import annotations

from contextlib import ExitStack

from service.load.api import Service
from service.load.figures import figures
from service.load.measure import measure
from service.load.phases import Mix

from .report import Line, Report
from .stack import SAMPLES, Stack

AT_ONCE = 4
SMALL = {"areas": [0.2], "alternatives": 0, "contrast": False}
PHOTOGRAPHS = ("airliner", "black_bear", "goose", "pizza", "school_bus")
LOAD = 0.8
EVERY = 4


def measure_arrivals(result: Report, line: Line, *, jobs: int) -> None:
    """Post default sweeps and small ones to a worker that runs several at once."""
    images = [(SAMPLES / f"{name}.jpg").read_bytes() for name in PHOTOGRAPHS]
    with ExitStack() as running:
        stack = running.enter_context(Stack(EP_JOBS_AT_ONCE=AT_ONCE, EP_PRELOAD="mobilenet_v2"))
        mix = Mix(images, {"model": "mobilenet_v2"}, {"model": "mobilenet_v2"} | SMALL, EVERY)
        measured = measure(Service(stack.url()), mix, jobs=jobs, load=LOAD, seed=0, on_job=line.show)
    for figure in figures(measured):
        value = round(figure.value, 3)
        if figure.bar is None:
            result.tell(figure.name, value)
        else:
            result.at_most(figure.name, value, figure.bar)
