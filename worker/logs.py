"""Log lines of the API and the workers, readable or as JSON, those of the libraries included. Imports no torch."""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import Processor

from .queue import REDIS_UNUSABLE


def setup_logging(*, json: bool, level: int = logging.INFO) -> None:
    """Send all log lines to standard error, one line each (a stack trace follows its line, or lies inside the JSON).

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
    """Leave the stack trace out of what RQ says of an outage of Redis: it is no bug of anyone's."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, REDIS_UNUSABLE):
        record.msg, record.args, record.exc_info = f"{record.getMessage()} ({error})", None, None
    return True


def _rendering(json: bool) -> list[Processor]:
    if json:
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    return [
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
        )
    ]
