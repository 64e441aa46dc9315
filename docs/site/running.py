"""Runs of walkthroughs: a page's commands in a shell, against a service of its own."""

from __future__ import annotations

import os
import select
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from string import Template

from tests.running_stack import Stack

from .staging import ROOT
from .walkthrough import Step, agree, steps

ADDRESS = "127.0.0.1:8000"
"""Of the service, in pages; the run has another port."""
LINKED = ("samples", "examples")
LIMIT_S = 300.0
_END = "<the block has ended>"


class WrongPageError(Exception):
    """A page shows what isn't so."""


def run(page: Path) -> int:
    """Do what a page says, in an empty folder that has `samples` and `examples` as a clone has; return the steps done.

    Raises:
        WrongPageError: a command fails, or prints other than the page shows.
    """
    with tempfile.TemporaryDirectory() as name, _Shell(Path(name)) as shell:
        for linked in LINKED:
            (shell.folder / linked).symlink_to(ROOT / linked)
        todo = list(steps(page.read_text(encoding="utf-8")))
        for step in todo:
            try:
                shell.do(step)
            except WrongPageError as error:
                raise WrongPageError(f"{page.relative_to(ROOT)}:{step.line}: {error}") from None
    return len(todo)


class _Shell:
    """A bash that stays for all steps, and the service that they start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stack: Stack | None = None
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self._bash = subprocess.Popen(
            ["bash", "-eu"],
            cwd=folder,
            env=os.environ | {"PATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def __enter__(self) -> _Shell:
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._bash.pid, signal.SIGKILL)
        self._bash.wait()
        self._stop()

    def do(self, step: Step) -> None:
        """Do a step.

        Raises:
            WrongPageError: it fails, or prints other than is shown.
        """
        if step.file is not None:
            target = self.folder / step.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(self._here(step.text), encoding="utf-8")
        elif step.settings is not None:
            self._serve(step.settings)
        else:
            self._run(step)

    def _serve(self, settings: str) -> None:
        self._stop()
        here = os.environ | {"PWD": str(self.folder)}
        named = dict(one.split("=", 1) for one in shlex.split(Template(settings).safe_substitute(here)))
        state = self.folder / ".service"
        state.mkdir(exist_ok=True)
        self._stack = Stack(state, **named)
        try:
            self._stack.start()
        except AssertionError as error:
            self._stack = None
            raise WrongPageError(str(error)) from None

    def _stop(self) -> None:
        if self._stack is not None:
            self._stack.stop()
            self._stack.client.close()
            self._stack = None

    def _run(self, step: Step) -> None:
        assert self._bash.stdin is not None  # noqa: S101  it is a pipe
        commands = f"{{ {self._here(step.text)}\n}} </dev/null\necho '{_END}'\n"
        self._bash.stdin.write(commands.encode())
        self._bash.stdin.flush()
        printed = self._read()
        if step.output is not None and not agree(self._here(step.output), printed):
            raise WrongPageError(f"the page shows\n{step.output}\nand this was printed:\n{printed}")

    def _read(self) -> str:
        """Return what is printed until the block ends; the shell itself ends where a command fails."""
        assert self._bash.stdout is not None  # noqa: S101  it is a pipe
        held, end = b"", time.monotonic() + LIMIT_S
        while not held.endswith(f"{_END}\n".encode()):
            ready, _, _ = select.select([self._bash.stdout], [], [], max(0, end - time.monotonic()))
            part = os.read(self._bash.stdout.fileno(), 65536) if ready else b""
            if not part:
                reason = "a command failed" if ready else f"no end within {LIMIT_S:g} s"
                raise WrongPageError(f"{reason}; so far it printed\n{held.decode()}")
            held += part
        return held.decode().removesuffix(f"{_END}\n")

    def _here(self, text: str) -> str:
        """Return a text with the address of this run's service."""
        return text if self._stack is None else text.replace(ADDRESS, self._stack.url.removeprefix("http://"))
