"""Handle of one decoder process: a picture that takes too much ends that process, and nothing else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any, cast

from ep_core.pictures.decoding import Behind

from .child import READY

_SAFE_PATH = ["-P"] if sys.flags.safe_path else []  # as this process: no modules of the folder that it was started in
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class DecoderEnded(Exception):
    """The process is gone."""

    def __init__(self, *, returncode: int, served: bool) -> None:
        super().__init__(f"the decoder ended ({returncode})")
        self.returncode = returncode
        self.served = served

    @property
    def is_late(self) -> bool:
        """True where it was ended because it took too long."""
        return self.returncode == -signal.SIGALRM


@dataclass(frozen=True)
class DecodeRequest:
    """A task of a decoder: check a picture, or make it small.

    Args:
        max_pixels: most pixels of the file.
        seconds: how long it may take.
        size: pixels of the longer side of the small picture; None to check only.
        keep_metadata: whether a picture that is checked doesn't come back without them.
        white_level: the sample value that is white, as for `read_image`.
        behind: what transparent parts of a small picture lie on.
    """

    max_pixels: int
    seconds: float
    size: int | None = None
    keep_metadata: bool = True
    white_level: int | None = None
    behind: Behind = "white"


class Decoder:
    """A process of `child`, used by one thread at a time."""

    def __init__(self, *, memory_bytes: int) -> None:
        """Start it, without waiting for it; raises `OSError` where there can be no more processes."""
        self.answers = 0
        self._is_ready = False
        self._process = subprocess.Popen(
            [sys.executable, *_SAFE_PATH, "-m", "service.decoding.child", str(memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # libraries write there what they think of a hostile image
            env=os.environ | _ONE_THREAD,
            start_new_session=True,  # Ctrl-C is for the API, which lets it finish
        )

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def run(self, request: DecodeRequest, data: bytes) -> tuple[dict[str, Any], bytes]:
        """Return the process's answer for an image, and the bytes that it made of it.

        Raises:
            DecoderEnded: the process is gone, or has gone over it.
        """
        try:
            if not self._is_ready:
                self._is_ready = self._answers.readline() == READY
            self._requests.write(json.dumps(vars(request) | {"bytes": len(data)}).encode() + b"\n")
            self._requests.write(data)
            self._requests.flush()
            line = self._answers.readline()
            answer = json.loads(line) if line else None
            made = self._answers.read(answer["bytes"]) if answer else b""
        except OSError:  # a broken pipe
            answer, made = None, b""
        if answer is None:
            self.close()
            raise DecoderEnded(returncode=self._process.returncode, served=self._is_ready)
        self.answers += 1
        return answer, made

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        for pipe in (self._requests, self._answers):
            with suppress(OSError):  # what it was sent last can't be sent any more
                pipe.close()
        self._process.wait()

    @property
    def _requests(self) -> IO[bytes]:
        return cast("IO[bytes]", self._process.stdin)

    @property
    def _answers(self) -> IO[bytes]:
        return cast("IO[bytes]", self._process.stdout)
