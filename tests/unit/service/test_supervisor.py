"""A child that dies is started again; one that can't start is given up, with its own words shown."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.run import supervisor
from service.run.processes import stop
from service.run.supervisor import Child, GaveUp, Keeper

Lines = list[tuple[str, str]]


@pytest.fixture
def lines() -> Lines:
    return []


@pytest.fixture
def start(lines: Lines) -> Iterator[Callable[..., Child]]:
    children: list[Child] = []

    def start_child(program: str, *args: str) -> Child:
        argv = [sys.executable, "-u", "-c", program, *args]
        child = Child("child", argv, env=dict(os.environ), show=lambda name, line: lines.append((name, line)))
        children.append(child)
        return child

    yield start_child
    stop([child.process for child in children], grace_s=1)


def check_until(keeper: Keeper, condition: Callable[[], bool], timeout_s: float = 10) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        keeper.check()
        time.sleep(0.01)


def test_every_line_is_shown_under_the_childs_name(start: Callable[..., Child], lines: Lines) -> None:
    child = start(
        "import sys; print('out'); print('wrong', file=sys.stderr); sys.stdout.buffer.write(b'\\xff no newline')"
    )
    child.process.wait(10)
    child.drain()
    assert lines == [("child", "out"), ("child", "wrong"), ("child", "\ufffd no newline")]


def test_a_child_that_dies_is_started_again(
    start: Callable[..., Child], lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "MAX_PAUSE_S", 0.05)
    child = start("import time; time.sleep(60)")
    keeper = Keeper(child, show=lambda name, line: lines.append((name, line)))
    first = child.process.pid
    child.process.kill()
    check_until(keeper, lambda: child.process.pid != first)
    assert child.process.poll() is None
    assert lines == [("child", "ended (killed by signal 9), starts again in 0.05 s")]


def test_a_child_that_cannot_start_is_given_up(
    start: Callable[..., Child], lines: Lines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "MAX_PAUSE_S", 0.05)
    child = start("print('no weights here'); raise SystemExit(3)")
    keeper = Keeper(child, show=lambda name, line: None)
    with pytest.raises(GaveUp, match=r"child ended right after its start 3 times \(exit code 3\)"):
        check_until(keeper, lambda: False)
    assert lines == [("child", "no weights here")] * 3


def test_deaths_after_a_long_life_are_never_too_many(
    start: Callable[..., Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "MAX_PAUSE_S", 0.01)
    monkeypatch.setattr(supervisor, "EARLY_S", 0.0)
    child = start("")
    keeper = Keeper(child, show=lambda name, line: None)
    pids: set[int] = set()
    check_until(keeper, lambda: pids.add(child.process.pid) or len(pids) > supervisor.MAX_EARLY_DEATHS + 1)


def test_a_child_that_ignores_the_request_is_killed(start: Callable[..., Child], lines: Lines) -> None:
    child = start("import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(60)")
    deadline = time.monotonic() + 10
    while not lines and time.monotonic() < deadline:
        time.sleep(0.01)
    stop([child.process], grace_s=0.2)
    assert child.process.returncode == -9


def test_a_stop_in_a_hurry_does_not_wait_for_the_grace_period(start: Callable[..., Child], lines: Lines) -> None:
    child = start("import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(60)")
    deadline = time.monotonic() + 10
    while not lines and time.monotonic() < deadline:
        time.sleep(0.01)
    began = time.monotonic()
    stop([child.process], grace_s=30, hurry=lambda: True)
    assert time.monotonic() - began < 5
