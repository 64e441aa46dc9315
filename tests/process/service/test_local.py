"""`ep serve`: reports obstacles before it starts anything, and leaves nothing behind when it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pytest

from service.run import embedded_redis
from service.run.embedded_redis import EmbeddedRedis
from service.run.stack import LocalSettings, serve
from tests.networks import model_list

ROOT = Path(__file__).parents[3]
READY_TIMEOUT_S = 90.0  # a slow machine imports torch


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class TestBeforeTheStart:
    def test_a_taken_port_names_the_setting(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as server:
            port = server.getsockname()[1]
            assert serve(port=port, state_dir=tmp_path / "state") == 1
        error = capsys.readouterr().err
        assert error == (
            f"ep serve: port {port} on 127.0.0.1 is taken: "
            f"choose another one, for example `EP_PORT={port + 1} make run`\n"
        )
        assert not (tmp_path / "state").exists()

    def test_a_second_one_in_the_same_folder_names_the_setting(
        self, tmp_path: Path, free_port: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(embedded_redis, "LOCK_PATIENCE_S", 0.1)
        with EmbeddedRedis(tmp_path / "redis"):
            assert serve(port=free_port, state_dir=tmp_path) == 1
        captured = capsys.readouterr()
        assert f"{tmp_path} is in use by process {os.getpid()}" in captured.err
        assert "EP_STATE_DIR=" in captured.err
        assert captured.err.count("\n") == 1
        assert captured.out == ""

    @pytest.mark.parametrize(
        ("variable", "value"),
        [("EP_PORT", "eighty"), ("EP_PORT", "70000"), ("EP_WORKERS", "0"), ("EP_MODELS_FILE", "/no/such/file.toml")],
    )
    def test_a_wrong_setting_is_named(
        self, variable: str, value: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(variable, value)
        assert serve() == 1
        assert f"ep serve: {variable}: " in capsys.readouterr().err

    def test_an_address_of_another_machine_names_the_setting(
        self, tmp_path: Path, free_port: int, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert serve(host="192.0.2.1", port=free_port, state_dir=tmp_path) == 1
        assert "EP_HOST" in capsys.readouterr().err

    def test_a_folder_that_cannot_be_made_names_the_setting(
        self, tmp_path: Path, free_port: int, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "file").touch()
        assert serve(port=free_port, state_dir=tmp_path / "file" / "state") == 1
        assert "EP_STATE_DIR" in capsys.readouterr().err

    def test_the_state_lies_in_the_users_state_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("EP_STATE_DIR", raising=False)
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
        assert LocalSettings().state_dir == tmp_path / "extremal-perturbations"


class Stack:
    """A running `ep serve` in a process of its own."""

    def __init__(self, env: Mapping[str, str]) -> None:
        program = "import sys; from service.run.stack import serve; sys.exit(serve())"
        self.process = subprocess.Popen(
            [sys.executable, "-c", program], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines: list[str] = []

    def read_until(self, pattern: str) -> re.Match[str]:
        assert self.process.stdout is not None
        deadline = time.monotonic() + READY_TIMEOUT_S
        for line in self.process.stdout:
            self.lines.append(line)
            if found := re.search(pattern, line):
                return found
            assert time.monotonic() < deadline, "".join(self.lines)
        raise AssertionError(f"ended with {self.process.wait()}:\n" + "".join(self.lines))

    def children(self) -> dict[str, int]:
        """Return the process ids of its children by what they are."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                command = (folder / "cmdline").read_bytes().decode().split("\0")
            except OSError:  # ended meanwhile
                continue
            if parent == self.process.pid:
                found["redis" if "redis-server" in command[0] else command[-2]] = int(folder.name)
        return found


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_until(condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def answers(url: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(url).status_code == 200
    return False


@pytest.mark.e2e
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
class TestRunning:
    @pytest.fixture
    def start(self, tmp_path: Path, free_port: int) -> Iterator[Callable[[], Stack]]:
        models = tmp_path / "models.toml"  # one tiny network: workers look at all that are listed, in idle moments
        models.write_text(model_list("plain"))
        env = os.environ | {"EP_PORT": str(free_port), "EP_STATE_DIR": str(tmp_path / "state"), "EP_THREADS": "1"}
        env |= {"EP_MODELS_FILE": str(models), "EP_PRELOAD": "plain", "PYTHONPATH": str(ROOT)}
        stacks: list[Stack] = []

        def start_stack() -> Stack:
            stacks.append(Stack(env))
            return stacks[-1]

        yield start_stack
        for stack in stacks:
            if stack.process.poll() is None:
                stack.process.kill()
            stack.process.wait()

    def test_ctrl_c_stops_all_of_it_and_it_starts_again(self, start: Callable[[], Stack], free_port: int) -> None:
        for _ in range(2):
            stack = start()
            assert stack.read_until(r"Try +curl .*(http://\S+)/v1/jobs")[1] == f"http://127.0.0.1:{free_port}"
            children = stack.children()
            assert children.keys() == {"redis", "service", "worker"}
            stack.process.send_signal(signal.SIGINT)
            stack.read_until("Stopped")
            assert stack.process.wait(30) == 0
            assert all(map(gone, children.values()))

    def test_a_process_that_ends_is_started_again(self, start: Callable[[], Stack], free_port: int) -> None:
        stack = start()
        stack.read_until("Ready after")
        for name in ("service", "redis"):
            first = stack.children()[name]
            os.kill(first, signal.SIGKILL)
            stack.read_until("killed by signal 9.*starts again")
            wait_until(lambda name=name, first=first: stack.children().get(name, first) != first)
        address = f"http://127.0.0.1:{free_port}/readyz"
        wait_until(lambda: answers(address), timeout_s=60)
        assert stack.children().keys() == {"redis", "service", "worker"}

    def test_a_killed_worker_is_replaced_and_a_killed_parent_leaves_nothing(self, start: Callable[[], Stack]) -> None:
        stack = start()
        stack.read_until("Ready after")
        first = stack.children()["worker"]
        os.kill(first, signal.SIGKILL)
        stack.read_until("killed by signal 9.*starts again")
        wait_until(lambda: stack.children().get("worker", first) != first)

        children = stack.children()
        stack.process.kill()
        stack.process.wait()
        wait_until(lambda: all(map(gone, children.values())))
