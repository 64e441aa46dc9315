"""Number of threads of a worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from worker.process import cores


@pytest.mark.parametrize(
    ("content", "quota"), [("max 100000\n", None), ("150000 100000\n", 1.5), ("50000 100000\n", 0.5), ("", None)]
)
def test_a_containers_quota(tmp_path: Path, content: str, quota: float | None):
    (tmp_path / "cpu.max").write_text(content)
    assert cores._container_quota(tmp_path / "cpu.max") == quota


def test_workers_share_the_cores(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cores, "usable_cores", lambda: 8)
    assert [cores.threads_per_worker(workers) for workers in (1, 2, 3, 16)] == [8, 4, 2, 1]
    monkeypatch.undo()
    assert cores.usable_cores() >= 1
