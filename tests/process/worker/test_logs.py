"""Log lines."""

from __future__ import annotations

import json
import logging

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from worker.observe.logs import setup_logging

pytestmark = pytest.mark.usefixtures("logging_as_before")


def test_an_outage_of_redis_is_one_line(capsys: pytest.CaptureFixture[str]):
    setup_logging(json=False)
    logging.getLogger("rq.worker").error("worker %s quits", "w", exc_info=RedisConnectionError("refused"))
    (line,) = capsys.readouterr().err.splitlines()
    assert "worker w quits (refused)" in line


def test_a_bug_comes_with_its_stack_trace(capsys: pytest.CaptureFixture[str]):
    setup_logging(json=True)
    logging.getLogger("rq.worker").error("worker %s quits", "w", exc_info=ValueError("a bug"))
    (line,) = capsys.readouterr().err.splitlines()
    assert "ValueError: a bug" in json.loads(line)["exception"]
