"""`make scale`: what is recorded and sent again, the walls, and what docs/scale.md is made of."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import asdict, replace

import pytest

from docs import scale, scale_curve
from docs.quoted import quoted, rewrite
from tests.reliability.scale.costs import Costs, Part
from tests.reliability.scale.links import Unit
from tests.reliability.scale.recorder import Sent, commands_in, packed
from tests.reliability.scale.replay import Rate, decoded, encoded
from tests.reliability.scale.trace import ClientSide, Trace, trace
from tests.reliability.scale.walls import Wall, holds, walls

JOB, OTHER = "a" * 32, "b" * 32
WORKER = b"host.7"
WAIT = packed([b"BLPOP", b"rq:queue:extremal", b"rq:queue:extremal-low", b"5"])
LEASE = packed([b"ZADD", b"rq:wip:extremal", b"1796077238", JOB.encode()])
FILE = packed([b"HSET", f"ep:blobs:{JOB}".encode(), b"result.json", b"\r\n$3\r\n\x00*1"])
EXPIRE = packed([b"EXPIRE", f"ep:blobs:{JOB}".encode(), b"60"])
START = packed([b"EVALSHA", b"f" * 40, b"1", f"ep:job:{JOB}".encode(), WORKER])
BEAT = packed([b"HSET", b"rq:worker:" + WORKER, b"last_heartbeat", b"now"])
ASKS = packed([b"BLPOP", b"ep:asks", b"1"])
TURN = packed([b"SET", b"ep:janitor", b"token", b"NX", b"PX", b"5000"])


def sent() -> list[Sent]:
    """A worker's life: a job before, this one, its heartbeat, other threads, the next wait."""
    return [
        Sent(1.0, "MainThread", WAIT),
        Sent(1.5, "MainThread", packed([b"HGETALL", f"rq:job:{OTHER}".encode()])),
        Sent(1.7, "janitor", TURN),
        Sent(2.0, "MainThread", WAIT),
        Sent(3.0, "MainThread", LEASE),
        Sent(3.1, "answers", ASKS),
        Sent(3.2, "heartbeat", BEAT),
        Sent(3.25, "MainThread", START),
        Sent(3.5, "MainThread", FILE + EXPIRE + START),
        Sent(3.6, "MainThread", WAIT),
        Sent(9.0, "MainThread", START),
    ]


def traced() -> Trace:
    return trace(ClientSide(JOB, [FILE, START], [START], [FILE]), sent())


def test_commands_are_read_as_they_were_sent_whatever_bytes_they_have() -> None:
    words = [b"SET", b"key", b"*1\r\n$4\r\nPING\r\n\x00\xff"]
    assert commands_in(packed(words) + packed([b"PING"])) == [words, [b"PING"]]


def test_a_trace_is_what_is_sent_from_a_job_s_taking_to_the_next_wait() -> None:
    found = traced()
    assert [round(at, 2) for at, _ in found.run] == [0.0, 0.25, 0.5]
    assert found.beat == [BEAT]
    assert found.beside == [ASKS, TURN.replace(b"ep:janitor", b"ep:janitoR")]
    assert found.own == [JOB, WORKER.decode()]


def test_leases_of_a_trace_have_not_run_out_when_it_is_sent_again() -> None:
    assert commands_in(traced().run[0][1])[0][2] == b"1796163638"  # a day later


def test_without_files_the_other_commands_of_a_pipeline_stay() -> None:
    found = traced().without_files()
    assert found.post == [START]
    assert found.fetch == []
    assert [data for _, data in found.run][1:] == [START, START]
    assert len(found.run) == 3


def test_a_unit_is_sent_for_another_job_and_worker() -> None:
    unit = Unit(START + BEAT, [JOB.encode(), WORKER])
    assert unit.answers == 2
    assert unit.of([OTHER.encode(), b"w00001"]) == (START + BEAT).replace(JOB.encode(), OTHER.encode()).replace(
        WORKER, b"w00001"
    )


def test_a_trace_comes_through_json_as_it_was() -> None:
    again = Trace(**decoded(json.loads(json.dumps(encoded(asdict(traced()))))))
    assert replace(again, run=[tuple(step) for step in again.run]) == traced()  # type: ignore[misc]


def rate(per_minute: float, **more: float) -> Rate:
    told = {"finished_per_minute": per_minute, "workers": 9, "redis_core": 0.25, "scripts_core": 0.1} | more
    rest = {"commands_per_s": 1e3, "client_core": 0.2, "waiting": 0, "used_memory": 10**6, "aof_bytes_per_s": 0.0}
    return Rate(per_minute=per_minute, **{"late_s": 0.1} | rest | told, errors={}, jobs=9)  # type: ignore[arg-type]


def costs() -> Costs:
    """Costs of round numbers: 10 kB a job beside 990 kB of files; 40 ms of the API beside what clients ask."""
    spent = {"post": 0.025, "result": 0.01, "picture": 0.005, "poll": 0.001, "watching, a second": 0.005}
    parts = {name: Part(name, 1, api_s=seconds) for name, seconds in spent.items()}
    parts |= {name: Part(name, 1) for name in scale.PARTS if name not in parts}
    kept = dict.fromkeys(scale.KEPT, 2_000.0) | {"blobs": 990_000.0}
    return Costs(parts, kept, {1000: (0.002, 0.001)}, connections=5, sent=2_000_000, sent_beside_files=200_000)


def found_walls() -> list[Wall]:
    return walls(costs(), [rate(600)], [rate(5000), rate(10_000, late_s=3.0)], job_s=4.0)


def test_a_rate_holds_where_jobs_end_in_time_and_as_many_as_come() -> None:
    assert holds(rate(100))
    assert not holds(rate(100, finished_per_minute=90.0))
    assert not holds(rate(100, late_s=1.5))


def test_walls_by_hand() -> None:
    found = {wall.name: wall for wall in found_walls()}
    assert [wall.per_minute for wall in found_walls()] == sorted(wall.per_minute for wall in found_walls())
    day = found["Redis's memory, files in Redis, a day"]
    assert (day.per_minute, day.at_reference) == (pytest.approx(14.4e9 / 1e6 / 1440), "14,400 GB")
    assert found["Redis's memory, files elsewhere, an hour"].per_minute == pytest.approx(14.4e9 / 1e4 / 60)
    assert found["what Redis writes to its append-only file, files in Redis"].per_minute == pytest.approx(60 * 200 / 2)
    assert found["an API process whose clients poll"].per_minute == pytest.approx(0.9 * 60 / 0.045)
    assert found["an API process whose clients follow events"].per_minute == pytest.approx(0.9 * 60 / 0.06)
    core = found["Redis's core, files elsewhere"]  # by the highest rate that held
    assert (core.per_minute, core.at_reference) == (pytest.approx(18_000), "0.50 cores")
    assert found["connections to Redis"].per_minute == pytest.approx(60 * 10_000 / 5 / 4)


def test_what_the_page_shows_is_made_of_the_result() -> None:
    result = {
        "measured_at": "2026-11-30 23:30",
        "machine": "2 cores",
        "load": 0.2,
        "reference": {"per_minute": 10_000, "memory_gb": 16, "retention_s": 86_400, "short_retention_s": 3600},
        "parts": {name: asdict(part) for name, part in costs().parts.items()},
        "kept": costs().kept,
        "events": 180_000,
        "connections": 7,
        "sweeps": {"1000": [0.002, 0.001]},
        "rates": [
            asdict(rate(600)) | {"files": True, "held": True},
            asdict(rate(5000)) | {"files": False, "held": True},
        ],
        "walls": [asdict(wall) for wall in found_walls()],
    }
    assert scale.first_wall(result) == "**10 jobs a minute**: Redis's memory, files in Redis, a day"
    assert scale.held(result) == "**5,000 jobs a minute** held, with 9 simulated workers and 25 % of Redis's one core"
    assert scale.measured_when(result) == "2026-11-30 23:30 UTC, 2 cores"
    assert scale.measured_when(result | {"load": 3.5}).endswith("a busy machine (load 3.5 before)")
    assert "| 5,000 | 9 | elsewhere | 25 % | 10 % | 1,000 | 100 | yes |" in scale.rates_table(result)
    assert "| all but the files | 10,000 |" in scale.kept_table(result)
    assert "| 1,000 | 2 | 1 |" in scale.sweeps_table(result)
    ET.fromstring(scale_curve.draw(result))


def test_the_page_and_its_picture_are_those_of_the_kept_result() -> None:
    shown = {name for path, name, _ in quoted() if path == scale.PAGE}
    assert shown == set(scale.BLOCKS)
    text = scale.PAGE.read_text(encoding="utf-8")
    assert rewrite(text, {"scale": scale.read()}) == text, "python -m docs.scale"
    assert scale_curve.PICTURE.read_text(encoding="utf-8") == scale_curve.draw(scale.read()), "python -m docs.scale"
