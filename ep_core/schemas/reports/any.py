"""Report of any task. Imports no torch."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, TypeAdapter

from .channels import ChannelsReport, ClassChannelsReport
from .comparison import CompareReport
from .extremal import ExtremalReport

Report = ExtremalReport | ChannelsReport | ClassChannelsReport | CompareReport
AnyReport = Annotated[Report, Field(discriminator="task")]

_adapter = TypeAdapter[Report](AnyReport)


def read_report(text: bytes) -> Report:
    """Return the report that a JSON text holds, discriminated by `task`."""
    return _adapter.validate_json(text)
