"""Client in a process of its own, which prepares, waits for a start signal, and reports its findings at the end."""

from __future__ import annotations

import json
import subprocess
import sys
from types import TracebackType
from typing import Any, Self

from service.run.processes import spawn

READY = "ready"


class ClientProcess:
    """Runs `python -m MODULE ARGUMENTS` from entering the ``with`` block, where it gets ready, to leaving it.

    Args:
        module: says `READY`, waits for a line, and prints JSON.
        arguments: of its command line.
    """

    def __init__(self, module: str, *arguments: str) -> None:
        self._module = module
        self._argv = [sys.executable, "-m", module, *arguments]

    def __enter__(self) -> Self:
        self._process = spawn(self._argv, stdin=subprocess.PIPE, output=subprocess.PIPE)
        said = b""
        for line in self._process.stdout or ():
            if line.strip() == READY.encode():
                return self
            said += line
        self._process.wait()
        raise RuntimeError(f"{self._module} failed: {said.decode(errors='replace')[-2000:]}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def go(self) -> None:
        """Let it begin."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()

    def result(self) -> Any:
        """Wait for its end; return its report."""
        said = self._process.communicate()[0].decode(errors="replace")
        found = [line for line in said.splitlines() if line.startswith("{")]  # asyncio may complain after it
        if self._process.returncode or not found:
            raise RuntimeError(f"{self._module} failed: {said[-2000:]}")
        return json.loads(found[-1])
