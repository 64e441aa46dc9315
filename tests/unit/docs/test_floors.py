"""The picture of the floors and rooms is that of the code."""

from __future__ import annotations

import pytest

from docs.floors import PICTURE, Floor, draw, floors


@pytest.fixture(scope="module")
def shown() -> list[Floor]:
    return floors()


def test_the_picture_is_up_to_date(shown: list[Floor]) -> None:
    assert PICTURE.read_text() == draw(shown), "python -m docs.floors"


def test_it_shows_what_is_imported_and_who_loads_torch(shown: list[Floor]) -> None:
    service, worker, engine = shown
    assert {"broker", "settings"} <= set(service.below["worker"])
    assert "process" not in service.below["worker"]
    assert not service.with_torch
    assert "process" in worker.with_torch
    assert "broker" not in worker.with_torch
    assert {"masks", "extremal"} <= engine.with_torch
    assert not {"schemas", "errors"} & engine.with_torch
    assert engine.rooms[-1] == ["errors", "version"]
