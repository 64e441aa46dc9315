"""HTTP/1.1 at little cost: whole requests as bytes, and connections that send them and read the answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

LOST = "lost"
"""In place of a status: the connection was closed without an answer."""
_BOUNDARY = "----hostile"
_HEAD_END = b"\r\n\r\n"


def request(
    method: str, path: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None, key: str | None = None
) -> bytes:
    """Return a request."""
    fields = {"host": "localhost"} | ({"x-api-key": key} if key else {}) | dict(headers or {})
    if body:
        fields["content-length"] = str(len(body))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode("latin-1") + _HEAD_END + body


def post_json(path: str, value: Any, *, key: str | None = None) -> bytes:
    """Return a POST of JSON, or of bytes as such."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return request("POST", path, body=body, headers={"content-type": "application/json"}, key=key)


def post_form(path: str, parts: Iterable[tuple[str, str | bytes]], *, key: str | None = None) -> bytes:
    """Return a POST of a multipart form: files of bytes, and texts."""
    body = b"".join(_part(name, value) for name, value in parts) + f"--{_BOUNDARY}--\r\n".encode()
    kind = {"content-type": f"multipart/form-data; boundary={_BOUNDARY}"}
    return request("POST", path, body=body, headers=kind, key=key)


def _part(name: str, value: str | bytes) -> bytes:
    filename = f'; filename="{name}"' if isinstance(value, bytes) else ""
    head = f'--{_BOUNDARY}\r\ncontent-disposition: form-data; name="{name}"{filename}\r\n\r\n'
    return head.encode() + (value if isinstance(value, bytes) else value.encode()) + b"\r\n"


@dataclass(frozen=True)
class Answer:
    """An answer to a request."""

    status: str
    """Three digits, or `LOST`."""
    body: bytes = b""

    def json(self) -> Any:
        """Return the body's JSON value."""
        return json.loads(self.body)


class Connection:
    """A connection that is opened when it is needed, and kept.

    Args:
        port: of the server on this machine.
        source: the address that it comes from.
    """

    def __init__(self, port: int, *, source: str = "127.0.0.1") -> None:
        self._port = port
        self._source = source
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return its two ends."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, local_addr=(self._source, 0))
        return self._streams

    async def ask(self, message: bytes) -> Answer:
        """Send a request and return its answer, which may come before all is sent."""
        sending: asyncio.Task[None] | None = None
        try:
            reader, writer = await self.open()
            sending = asyncio.create_task(send(writer, message))
            answer, is_kept = await _read(reader)
        except (OSError, EOFError, asyncio.LimitOverrunError):
            answer, is_kept = Answer(LOST), False
        finally:
            if sending is not None and not sending.done():
                sending.cancel()
                is_kept = False
        if not is_kept:
            self.close()
        return answer

    def close(self) -> None:
        """Close it, if it is open."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def send(writer: asyncio.StreamWriter, message: bytes) -> None:
    """Send bytes, as far as they are taken: where they aren't, the answer says why, or that there is none."""
    with suppress(OSError):
        writer.write(message)
        await writer.drain()


async def read_head(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]]:
    """Return status and headers of an answer; raises `EOFError` where there is none."""
    head = (await reader.readuntil(_HEAD_END)).decode("latin-1")
    first, *lines = head.rstrip().split("\r\n")
    fields = (line.partition(":") for line in lines)
    return first.split()[1], {name.lower(): value.strip() for name, _, value in fields}


async def _read(reader: asyncio.StreamReader) -> tuple[Answer, bool]:
    """Return an answer, and whether another one may follow it."""
    status, headers = await read_head(reader)
    is_kept = headers.get("connection", "").lower() != "close"
    if headers.get("transfer-encoding") == "chunked":
        return Answer(status, b"".join([chunk async for chunk in _chunks(reader)])), is_kept
    return Answer(status, await reader.readexactly(int(headers.get("content-length", "0")))), is_kept


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while length := int(await reader.readline(), 16):
        yield await reader.readexactly(length)
        await reader.readline()
    await reader.readline()
