"""A server that images are said to lie on: it says nothing, sends a byte now and then, or never ends."""

from __future__ import annotations

import asyncio

SLOW_S = 0.5
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\n\r\n"
_CHUNK = bytes(2**16)
_MOST_CHUNKS = 10_000  # far more than an image may have


async def start(host: str) -> str:
    """Start it for as long as this process lives; returns its address."""
    server = await asyncio.start_server(_answer, host, 0)
    port = server.sockets[0].getsockname()[1]
    return f"http://{host}:{port}"


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        kind = (await reader.readuntil(b"\r\n\r\n")).split(b"/")[1]
        if kind == b"silent":
            await reader.read()  # until the other side gives up
        writer.write(_HEAD)
        for _ in range(_MOST_CHUNKS):
            writer.write(_CHUNK if kind == b"endless" else b"\x89")
            await writer.drain()
            await asyncio.sleep(SLOW_S if kind == b"slow" else 0)
    except (OSError, EOFError):  # it has been cut off, as it should be
        pass
    finally:
        writer.close()
