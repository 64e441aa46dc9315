"""`make scale` with few jobs: all of its parts run, and nothing of some hundred jobs is left in the end."""

from __future__ import annotations

import json
from pathlib import Path

from docs import scale
from tests.reliability import report
from tests.reliability.scale.__main__ import SMALL, Options, measure
from tests.reliability.scale.parts import Workload
from tests.reliability.stack import TINY

JOBS_A_MINUTE = 12_000
SECONDS = 1.0


def test_a_few_hundred_jobs_leave_nothing_when_their_retention_is_over(tmp_path: Path) -> None:
    work = Workload(TINY, SMALL, job_s=0.4, jobs=3, seconds=SECONDS)
    options = Options(work, (JOBS_A_MINUTE,), (300,), unfinished=(100, 200), retention_s=6)
    told = tmp_path / "scale.json"
    report.run("Scale", lambda result, line: measure(result, line, options), limit_s=110, out=told)
    document = json.loads(told.read_text())
    measured = {one["name"]: one for one in document["measures"]}
    assert document["ok"], document["lines"] or measured
    assert measured["jobs run at these rates"]["value"] == JOBS_A_MINUTE * SECONDS / 60 + 300 * SECONDS / 60
    figures = document["figures"]
    assert [rate["finished_per_minute"] > 0 and rate["redis_core"] > 0 for rate in figures["rates"]] == [True, True]
    assert set(figures["parts"]) == set(scale.PARTS)
    assert set(figures["kept"]) == set(scale.KEPT)
    parts = figures["parts"]
    assert parts["whole job"]["worker_s"] > 0 < parts["post"]["api_s"]
    assert 5 < parts["poll"]["commands"] + parts["result"]["commands"] < parts["whole job"]["commands"]
    assert figures["connections"] >= 3
    for block in scale.BLOCKS.values():
        assert block(figures)
