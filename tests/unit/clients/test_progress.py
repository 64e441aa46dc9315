"""Bars for those who see them."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from extremal_client import BatchProgress, progress
from extremal_client.core.reading import read_as
from extremal_client.generated.schemas import JobRead
from extremal_client.progress import fraction_of, shown, words_of

from .playing import job_document


def job(status: str, **more: Any) -> JobRead:
    return read_as(JobRead, job_document(status, **more))


RUNNING = job("running", progress={"iteration": 4, "total": 10, "fraction": 0.4, "stage": "walks", "ended": []})
DONE = job("succeeded", finished_at="2026-01-31T12:00:09Z")


def test_words_and_fractions() -> None:
    assert (fraction_of(job("queued")), words_of(job("queued", position=3))) == (0, "queued, number 3")
    assert (fraction_of(RUNNING), words_of(RUNNING)) == (0.4, "coarse masks")
    assert (fraction_of(DONE), words_of(DONE)) == (1, "succeeded")
    assert words_of(BatchProgress(20, 3, 0, 0.2)) == "3 of 20"
    assert words_of(BatchProgress(20, 3, 1, 0.2)) == "3 of 20, 1 failed"


@pytest.mark.parametrize("library", ["rich", "tqdm"])
def test_a_bar_moves_and_goes(
    library: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip(library)
    monkeypatch.setenv("FORCE_COLOR", "1")  # a terminal, for rich
    monkeypatch.setattr(progress, "_has", lambda name: name == library)
    with shown(True, "extremal") as on_change:
        for seen in (job("queued"), RUNNING, DONE):
            on_change(seen)
    text = capsys.readouterr().err
    assert "extremal" in text
    assert "%" in text


def test_nothing_is_written_where_nobody_sees_it(capsys: pytest.CaptureFixture[str]) -> None:
    for wanted in (None, False):
        with shown(wanted, "extremal") as on_change:
            on_change(RUNNING)
    assert capsys.readouterr() == ("", "")


def test_without_a_library_there_is_no_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with shown(True, "extremal") as on_change:
        on_change(RUNNING)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_and_a_notebook_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not progress.is_seen()
    shell = SimpleNamespace()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert not progress.is_seen()  # IPython in a terminal
    shell.kernel = True
    assert progress.is_seen()


def test_a_function_is_called_in_place_of_a_bar() -> None:
    found: list[Any] = []
    with shown(found.append, "extremal") as on_change:
        on_change(RUNNING)
    assert found == [RUNNING]
