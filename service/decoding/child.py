"""Decoder process: decodes images one after the other, within limits of time and memory: ``python -m ...child BYTES``.

It says `READY`; then it reads a line of JSON and the image's bytes, and writes a line of JSON and what was made of
them, again and again. It imports neither the API nor the worker.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from typing import Any, BinaryIO

from ep_core.errors import ImageTooLarge, InvalidInput
from ep_core.pictures.decoding import TOO_MUCH_MEMORY, read_with_level
from service.decoding.metadata.strip import without_metadata

from .thumbnail import make_thumbnail

READY = b"ready\n"
NICE = 5  # the API, which all requests wait for, goes first


def main(argv: list[str]) -> int:
    """Decode until the standard input ends; `argv` holds the most bytes of memory, 0 for any number."""
    os.nice(NICE)
    _limit_memory(int(argv[0]))
    with suppress(BrokenPipeError):
        sys.stdout.buffer.write(READY)
        sys.stdout.buffer.flush()
        while _serve(sys.stdin.buffer, sys.stdout.buffer):
            pass
    return 0


def _serve(requests: BinaryIO, answers: BinaryIO) -> bool:
    """Answer one request; False where there is no more."""
    line = requests.readline()
    if not line:
        return False
    asked = json.loads(line)
    data = requests.read(asked["bytes"])
    signal.setitimer(signal.ITIMER_REAL, asked["seconds"])  # its signal ends this process, whatever it does
    answer, made = _decode(data, asked)
    signal.setitimer(signal.ITIMER_REAL, 0)
    answers.write(json.dumps(answer | {"bytes": len(made)}).encode() + b"\n" + made)
    answers.flush()
    return True


def _decode(data: bytes, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    try:
        limits = {key: asked[key] for key in ("max_pixels", "white_level")}
        if asked["size"] is not None:
            return {}, make_thumbnail(data, asked["size"], behind=asked["behind"], **limits)
        image = read_with_level(data, **limits)
        stored = data if asked["keep_metadata"] else without_metadata(data, image, asked["white_level"])
    except MemoryError:
        return {"error": ImageTooLarge.__name__, "detail": TOO_MUCH_MEMORY}, b""
    except InvalidInput as error:
        return {"error": type(error).__name__, "detail": error.detail, "field": error.field}, b""
    is_stripped = stored is not data
    return {"size": image.size, "is_stripped": is_stripped}, stored if is_stripped else b""


def _limit_memory(most_bytes: int) -> None:
    """Let the process have so much memory, beside its libraries' code; nothing where a system can't do that."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        if most_bytes:
            resource.setrlimit(resource.RLIMIT_DATA, (most_bytes, most_bytes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
