"""Fixtures for requests to addresses that clients name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from service.outbound import requests as module


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """A function that sets the addresses of names, one answer after the other; returns the list of look-ups."""

    def lead_to(*answers: list[str]) -> list[str]:
        asked: list[str] = []

        def look_up(host: str, port: int) -> list[str]:
            asked.append(host)
            return answers[min(len(asked), len(answers)) - 1]

        monkeypatch.setattr(module, "look_up", look_up)
        return asked

    return lead_to
