"""Reading a job's record from its Redis hash."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from .contract import JobRecord

_TEXT_FIELDS = {"id", "state", "created_at", "started_at", "finished_at", "worker", "request"}
_TEXT_FIELDS |= {"webhook", "owner", "task", "priority", "batch", "content", "request_id", "traceparent"}
_TOLD = {"progress", "partial_curve", "found", "files", "delivery", "error"}
"""Fields without which a job can still be run."""


def read_record(fields: Mapping[bytes, bytes]) -> JobRecord | None:
    """Return the record of a hash, None of an empty one.

    An unreadable field that isn't needed to run the job is left out, such as a curve with NaN (null, in JSON).

    Raises:
        ValueError: what the job is can't be read.
    """
    if not fields:
        return None
    parsed = {}
    for name, text in ((name.decode(), text) for name, text in fields.items()):
        try:
            parsed[name] = text.decode() if name in _TEXT_FIELDS else from_json(text)
        except ValueError:
            if name not in _TOLD:
                raise
    return _validated(parsed)


def _validated(parsed: dict[str, Any]) -> JobRecord:
    try:
        return JobRecord.model_validate(parsed)
    except ValidationError as error:
        wrong = {str(one["loc"][0]) for one in error.errors()}
        if not wrong <= _TOLD:
            raise
        return JobRecord.model_validate({name: value for name, value in parsed.items() if name not in wrong})
