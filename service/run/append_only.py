"""Repair of Redis's append-only file: a crash or a full disk can spoil its end, and Redis then refuses to start."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

FOLDER = "appendonlydir"
SPOILED = "Bad file format reading the append only file"
"""Redis's own message about such a file."""
MOST_DIGITS = 20  # of a number in the file


def repair(directory: Path) -> str | None:
    """Cut off what can't be read at the end of the newest append-only file, and keep the file as it was beside it.

    Args:
        directory: Redis's working folder.

    Returns:
        A line about it; None where nothing is wrong, or nothing of the file can be read.
    """
    files = sorted((directory / FOLDER).glob("*.incr.aof"), key=lambda file: file.stat().st_mtime)
    if not files:
        return None
    spoiled = files[-1]
    size = spoiled.stat().st_size
    with spoiled.open("rb") as opened:
        whole = whole_bytes(opened)
    if whole >= size or whole == 0:  # it is something else
        return None
    kept = spoiled.with_name(f"{spoiled.name}.broken-{datetime.now(UTC):%Y%m%dT%H%M%S}")
    shutil.copy2(spoiled, kept)
    with spoiled.open("r+b") as opened:
        opened.truncate(whole)
    return (
        f"Redis's file ended with {size - whole} bytes that can't be read: they were cut off, {whole} bytes are left; "
        f"the file as it was is {kept}"
    )


def whole_bytes(file: BinaryIO) -> int:
    """Return how many bytes from the start of an append-only file are whole commands, and whole transactions."""
    whole, in_transaction = 0, False
    while (command := _next_command(file)) is not None:
        in_transaction = command == b"multi" or (in_transaction and command != b"exec")
        if not in_transaction:
            whole = file.tell()
    return whole


def _next_command(file: BinaryIO) -> bytes | None:
    """Read a command, and return its name; empty for a comment, None where nothing whole follows."""
    kind = file.read(1)
    if kind == b"#":  # a time stamp
        return b"" if file.readline(1024).endswith(b"\r\n") else None
    count = _number(file) if kind == b"*" else None
    if not count:
        return None
    name = b""
    for k in range(count):
        size = _number(file) if file.read(1) == b"$" else None
        if size is None:
            return None
        text = file.read(size)
        if len(text) < size or file.read(2) != b"\r\n":
            return None
        name = text.lower() if k == 0 else name
    return name


def _number(file: BinaryIO) -> int | None:
    line = file.readline(MOST_DIGITS)
    return int(line) if line.endswith(b"\r\n") and line[:-2].isdigit() else None
