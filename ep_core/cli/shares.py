"""Shares of an image on the command line: fractions, or percent."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ep_core.errors import InvalidInput


def shares(parts: Sequence[str], option: str) -> list[str]:
    """Return shares as fractions; what is no number is left as it is.

    Args:
        parts: the values of a list. A percent sign belongs to its value; one at the list's end to all that have none.
        option: the option that they were given to, for the message.

    Example:
        >>> shares(["10", "20%"], "--areas")
        ['0.1', '0.2']

    Raises:
        InvalidInput: a value without a sign, which could be a fraction too, stands before the sign at the end.
    """
    if not parts or not parts[-1].endswith("%"):
        return [_fraction(part) if part.endswith("%") else part for part in parts]
    for part in parts:
        if not part.endswith("%") and _is_below_one(part):
            listed = ",".join(parts)
            raise InvalidInput(
                f"{option}: {part} in {listed} may be a share or percent: write a sign at each of them or at none"
            )
    return [_fraction(part.removesuffix("%") + "%") for part in parts]


def _fraction(percent: str) -> str:
    try:
        return str(Decimal(percent[:-1].strip()) / 100)  # not a float's hundredth: 0.7% is 0.007
    except ArithmeticError:
        return percent


def _is_below_one(part: str) -> bool:
    try:
        return Decimal(part) < 1
    except ArithmeticError:
        return False
