"""Figures and plots of a service under load."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from itertools import pairwise
from statistics import mean

import pytest

from service.load.api import Ran
from service.load.figures import Measured, figures, first_come, first_come_waits, quantile
from service.load.phases import Mix, Phase, poisson
from service.load.plots import plot

Times = tuple[bool, float, float, float | None, float]  # small, posted, taken, first step, finished


def phase(jobs: Sequence[Times], **counted: float) -> Phase:
    cpu = {("ep_worker_cpu_seconds_total", part): counted.pop(part) for part in ("steps", "rest") if part in counted}
    return Phase([Ran(*job) for job in jobs], cpu | {(name,): value for name, value in counted.items()})


def measured() -> Measured:
    """A worker of two jobs at once: long ones take 10 s, a small one takes 2."""
    in_turn = phase([(False, 0, 0, 0.5, 10), (True, 10, 10, 10.5, 12)], steps=18, rest=4)
    at_once = phase([(False, 0, 0, 0.5, 11), (True, 0, 0, 0.5, 4)], steps=18, rest=4)
    come = [(False, 100, 100, 100.2, 110), (True, 101, 101, 101.6, 104), (True, 103, 104, None, 106)]
    return Measured(
        in_turn, at_once, phase(come, ep_shared_batches_total=40, ep_shared_seconds_total=8), load=0.8, processes=1
    )


def test_the_table_of_two_jobs_at_once() -> None:
    found = {figure.name: figure for figure in figures(measured())}
    values = {name: figure.value for name, figure in found.items()}
    assert values["one after the other: jobs a minute"] == 10
    assert values["all at once: whole time, as a share of that in turn"] == pytest.approx(11 / 12)
    first = "at 80% of that, from taken to the first step"
    assert values[f"{first}: s, median"] == pytest.approx(0.4)
    assert values[f"{first}: s, p95"] == pytest.approx(0.6)
    assert values[f"{first}: steps of the device, p95"] == pytest.approx(3)  # of 0.2 s
    assert not found[f"{first}: steps of the device, p95"].met
    assert values["a small job among the others, posted to finished: s, median"] == 3
    # In a line: from 110 to 112, from 112 to 114.
    assert values["the same in a line, each as long as alone (computed): s, median"] == 11
    assert values["share of the one in the other"] == pytest.approx(3 / 11)
    assert values["one after the other, CPU seconds a job: its steps"] == 9
    assert values["one after the other, CPU seconds a job: beside them"] == 2


def test_a_service_that_counts_no_common_steps_has_no_figure_of_them() -> None:
    whole = measured()
    alone = Measured(whole.in_turn, whole.at_once, phase([(False, 0, 0, None, 10)]), load=0.8, processes=1)
    names = [figure.name for figure in figures(alone)]
    assert not [name for name in names if "first step" in name or "small job" in name]
    ET.fromstring(plot(alone))


def test_a_line_is_served_as_it_comes() -> None:
    arrivals = [(0.0, 10.0), (1.0, 2.0), (2.0, 4.0), (30.0, 3.0)]
    assert first_come(arrivals, 1) == [10, 11, 14, 3]
    assert first_come(arrivals, 2) == [10, 2, 5, 3]
    assert first_come_waits(measured()) == [11, 11]


def test_quantiles_are_values_that_were_seen() -> None:
    values = [float(value) for value in range(20, 0, -1)]
    assert [quantile(values, share) for share in (0.05, 0.5, 0.95, 1.0)] == [1, 10, 19, 20]
    assert quantile([3.0], 0.95) == 3


def test_arrivals_are_as_many_as_they_shall_and_without_memory() -> None:
    times = poisson(20_000, per_s=4, seed=0)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert mean(gaps) == pytest.approx(1 / 4, rel=0.03)
    assert mean(gap > 0.5 for gap in gaps) == pytest.approx(2.718281828**-2, abs=0.01)
    assert times == poisson(20_000, per_s=4, seed=0) != poisson(20_000, per_s=4, seed=1)


def test_one_of_so_many_jobs_is_small() -> None:
    mix = Mix([b""], {}, {}, every=3)
    assert [mix.is_small(number) for number in range(6)] == [False, False, True] * 2


def test_the_plots_have_a_line_for_each_job() -> None:
    root = ET.fromstring(plot(measured()))
    bars = [one for one in root.iter("{http://www.w3.org/2000/svg}rect") if one.get("height") == "8"]
    assert len(bars) == 3 * 3
    assert all(0 <= float(bar.get("x")) <= 900 for bar in bars)
