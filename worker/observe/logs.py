"""Log lines of the API and the workers, as text or as JSON, those of the libraries included. Imports no torch."""

from __future__ import annotations

import logging
import sys
import textwrap
from functools import partial
from io import StringIO
from typing import TYPE_CHECKING, TextIO

import structlog
from structlog.dev import ConsoleRenderer, KeyValueColumnFormatter, plain_traceback
from structlog.typing import Processor

from ep_core.schemas.printable import printable
from worker.broker.queue import REDIS_UNUSABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from structlog.typing import ExcInfo


def setup_logging(*, json: bool, level: int = logging.INFO) -> None:
    """Send all log lines to standard error, one line each (a stack trace follows its line, or lies inside the JSON).

    Control characters, which clients can bring in, are escaped.

    Args:
        json: JSON objects instead of readable text.
        level: the least level shown.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(json)],
        )
    )
    handler.addFilter(_outage_in_one_line)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in ("rq", "rq.worker", "rq.job", "rq.queue", "rq.registry"):  # RQ's news repeats ours
        logging.getLogger(name).setLevel(logging.WARNING)


def _outage_in_one_line(record: logging.LogRecord) -> bool:
    """Leave the stack trace out of RQ's messages about an outage of Redis, which is no bug."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, REDIS_UNUSABLE):
        record.msg, record.args, record.exc_info = f"{record.getMessage()} ({error})", None, None
    return True


def _rendering(json: bool) -> list[Processor]:
    if json:
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    renderer = ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=_write_trace, pad_event_to=0)
    for formatter in (column.formatter for column in renderer.columns):
        if isinstance(formatter, KeyValueColumnFormatter):
            formatter.value_repr = partial(_in_one_line, formatter.value_repr)
    return [renderer]


def _in_one_line(shown: Callable[[object], str], value: object) -> str:
    """Return a value as `shown` writes it, escaped after that: what it quotes, it escapes itself."""
    return printable(shown(value).rstrip("\n"))


def _write_trace(out: TextIO, exc_info: ExcInfo) -> None:
    """Write a stack trace, indented: no line of a message in it looks like one of the log."""
    trace = StringIO()
    plain_traceback(trace, exc_info)
    out.write("\n" + textwrap.indent(printable(trace.getvalue().strip("\n"), keep="\n\t"), "  "))
