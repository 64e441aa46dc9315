"""Log lines as text: what clients send can't colour them, hide them, or add some; each is escaped once."""

from __future__ import annotations

import json
import logging
import re

import pytest
import structlog

from worker.observe.logs import setup_logging

FORGED = "/v1/\x1b[2J\r\n2026-01-01T00:00:00Z [info] all is well"
SHOWN = r"/v1/\x1b[2J\r\n2026-01-01T00:00:00Z [info] all is well"


pytestmark = pytest.mark.usefixtures("logging_as_before")


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.split("\n")[:-1]


@pytest.mark.parametrize(
    "sent", ["\x1b[31mred", "a b\x1b[31m", "'\x1b\"", "\x9b2J", "a\nb", "a\rb", "\u202ea", "\udcff", "\x00"]
)
@pytest.mark.parametrize("place", ["event", "value", "in a value", "library", "bound"])
def test_no_text_gets_out_of_its_place(capsys: pytest.CaptureFixture[str], sent: str, place: str) -> None:
    setup_logging(json=False)
    log = structlog.get_logger("test")
    say = {
        "event": lambda: log.info(f"got {sent}"),
        "value": lambda: log.info("got", path=sent),
        "in a value": lambda: log.info("got", headers={"user-agent": sent}),
        "library": lambda: logging.getLogger("uvicorn.error").warning("got %s", sent),
        "bound": lambda: log.bind(image=sent).warning("got"),
    }
    say[place]()
    (line,) = lines(capsys)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202e\ud800-\udfff]", line)
    assert "\\\\" not in line  # escaped once


def test_a_forged_line_stays_inside_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    setup_logging(json=False)
    structlog.get_logger("test").info("request", path=FORGED)
    structlog.get_logger("test").info(FORGED)
    first, second = lines(capsys)
    assert f"path='{SHOWN}'" in first
    assert SHOWN in second


def test_a_stack_trace_keeps_its_lines_and_none_looks_like_one_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    setup_logging(json=False)
    logging.getLogger("rq.worker").error("it quits\n", exc_info=ValueError(FORGED))
    first, *trace = lines(capsys)
    assert "it quits" in first
    assert trace
    assert all(line.startswith("  ") for line in trace)
    assert not any("\x1b" in line or "\r" in line for line in trace)


def test_json_says_it_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    setup_logging(json=True)
    structlog.get_logger("test").info("request", path=FORGED)
    (line,) = lines(capsys)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["path"] == FORGED
