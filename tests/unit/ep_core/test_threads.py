"""Wait policy of threads: our choice, unless the user has made one."""

from __future__ import annotations

import os

import pytest

from ep_core.models.runtime.threads import SPINS, spin_briefly


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, str(SPINS)), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "ACTIVE"}, None)],
)
def test_the_users_choice_holds(monkeypatch: pytest.MonkeyPatch, given: dict[str, str], expected: str | None) -> None:
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    spin_briefly()
    assert os.environ.get("GOMP_SPINCOUNT") == expected
