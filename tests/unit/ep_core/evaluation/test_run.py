"""The log of an evaluation, and resuming from it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ep_core.errors import InvalidInput
from ep_core.evaluation.run import ItemLog, measure, measure_groups

SETTINGS = {"seed": 0, "areas": (0.1, 0.2)}


def doubled(done: list[int]) -> Callable[[int, Callable[[float], None]], dict[str, int]]:
    def work(item: int, share: Callable[[float], None]) -> dict[str, int]:
        done.append(item)
        share(0.5)
        return {"doubled": 2 * item}

    return work


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    done: list[int] = []
    for items in ([1, 2], [1, 2, 3]):
        log = ItemLog(tmp_path / "log.jsonl", SETTINGS)
        found = list(measure(items, str, doubled(done), log))
        assert found == [(item, {"doubled": 2 * item}) for item in items]
    assert done == [1, 2, 3]


def test_a_stopped_run_keeps_what_was_done_before(tmp_path: Path) -> None:
    def stopped(item: int, _share: object) -> dict[str, int]:
        if item == 2:
            raise KeyboardInterrupt
        return {"doubled": 2 * item}

    path = tmp_path / "log.jsonl"
    with pytest.raises(KeyboardInterrupt):
        list(measure([1, 2], str, stopped, ItemLog(path, SETTINGS)))
    assert "1" in ItemLog(path, SETTINGS)
    assert "2" not in ItemLog(path, SETTINGS)


def test_a_line_that_was_cut_off_is_done_again(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    log = ItemLog(path, SETTINGS)
    log.add("1", {"doubled": 2})
    log.add("2", {"doubled": 4})
    path.write_text(path.read_text()[:-5])
    again = ItemLog(path, SETTINGS)
    assert "1" in again
    assert "2" not in again
    again.add("2", {"doubled": 4})
    assert ItemLog(path, SETTINGS)["2"] == {"doubled": 4}


def test_a_log_of_other_settings_is_refused_with_their_names(tmp_path: Path) -> None:
    ItemLog(tmp_path / "log.jsonl", SETTINGS)
    with pytest.raises(InvalidInput, match=r"other settings \(seed\)"):
        ItemLog(tmp_path / "log.jsonl", SETTINGS | {"seed": 1})


@pytest.mark.parametrize("text", ["hello\n", '{"items": 3}\n', "[1]\n"])
def test_a_file_that_is_no_log_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "log.jsonl").write_text(text)
    with pytest.raises(InvalidInput, match="no log of an evaluation"):
        ItemLog(tmp_path / "log.jsonl", SETTINGS)


def test_what_is_forgotten_is_done_again_and_the_later_record_counts(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    log = ItemLog(path, SETTINGS)
    log.add("1", {"doubled": 0})
    log.forget("1")
    assert "1" not in log
    log.add("1", {"doubled": 2})
    assert ItemLog(path, SETTINGS)["1"] == {"doubled": 2}


def test_nothing_is_kept_without_a_file() -> None:
    assert list(measure([1], str, doubled([]), ItemLog(None, SETTINGS))) == [(1, {"doubled": 2})]


def test_progress_rises_to_the_end() -> None:
    shares: list[float] = []
    list(measure([1, 2], str, doubled([]), ItemLog(None, {}), lambda share, _what: shares.append(share)))
    assert shares == [0, 0.25, 0.5, 0.75, 1]


def test_groups_hold_what_is_left_and_come_back_in_order(tmp_path: Path) -> None:
    groups: list[list[int]] = []
    shares: list[float] = []

    def work(group: Sequence[int], share: Callable[[float], None]) -> list[dict[str, int]]:
        groups.append(list(group))
        share(0.5)
        return [{"doubled": 2 * item} for item in group]

    log = ItemLog(tmp_path / "log.jsonl", {})
    log.add("2", {"doubled": 4})
    found = measure_groups([1, 2, 3, 4], str, work, log, size=2, on_progress=lambda share, _what: shares.append(share))
    assert found == [(item, {"doubled": 2 * item}) for item in (1, 2, 3, 4)]
    assert groups == [[1, 3], [4]]
    assert shares == [0.25, 0.5, 0.75, 0.875, 1]
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["item"] for line in lines[1:]] == ["2", "1", "3", "4"]
