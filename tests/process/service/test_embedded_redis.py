"""The embedded Redis: a real server, whose data outlives it and which nobody else can use."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from redis import AuthenticationError, Redis
from redis import ConnectionError as RedisConnectionError

from service.run import embedded_redis
from service.run.embedded_redis import EmbeddedRedis, FolderInUse, RedisStartError


def client(redis: EmbeddedRedis) -> Redis:
    return Redis.from_url(redis.url, socket_timeout=5)


def test_what_it_holds_survives_a_restart(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path) as redis:
        client(redis).set("job", "running")
    with EmbeddedRedis(tmp_path) as redis:
        assert client(redis).get("job") == b"running"


def test_the_same_server_comes_back_under_the_same_address(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path) as redis:
        url, connection = redis.url, client(redis)
        connection.set("job", "running")
        redis.stop()
        assert redis.exit_code == 0
        with pytest.raises(RedisConnectionError):
            connection.get("job")
        redis.start()
        assert redis.url == url
        assert connection.get("job") == b"running"


def test_it_never_drops_a_job_to_make_room(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path) as redis:
        config = client(redis).config_get("*")
    assert config["maxmemory-policy"] == "noeviction"
    assert config["appendonly"] == "yes"
    assert config["bind"] == "127.0.0.1"


def test_others_on_this_machine_are_kept_out(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path) as redis:
        address = redis.url.partition("@")[2]
        password = redis.url.partition("@")[0].rpartition(":")[2]
        with pytest.raises(AuthenticationError):
            Redis.from_url(f"redis://{address}").ping()
        command_lines = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):  # ended meanwhile
                command_lines.append(path.read_bytes())
    assert any(b"redis-server" in line for line in command_lines)
    assert not any(password.encode() in line for line in command_lines)


def test_a_folder_serves_one_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_redis, "LOCK_PATIENCE_S", 0.1)
    with EmbeddedRedis(tmp_path) as first:
        client(first).set("job", "running")
        with pytest.raises(FolderInUse) as caught:
            EmbeddedRedis(tmp_path).start()
        assert caught.value.pid == os.getpid()
        assert client(first).get("job") == b"running"


def test_a_folder_with_blanks_quotes_and_a_long_name(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path / 'it\'s a "folder" 100%' / ("long" * 40)) as redis:
        assert client(redis).ping()


def test_a_damaged_file_is_reported_with_the_servers_own_words(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path) as redis:
        client(redis).set("job", "running")
    for file in (tmp_path / "appendonlydir").glob("*.aof"):
        file.write_bytes(b"not an append-only file\n" * 10)
    with pytest.raises(RedisStartError, match=r"(?s)ended right away.*redis\.log"):
        EmbeddedRedis(tmp_path).start()


def test_no_redis_server_anywhere_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(embedded_redis, "find_spec", lambda name: None)
    with pytest.raises(RedisStartError, match="extra `local`"):
        embedded_redis.find_redis_server()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal")
def test_it_saves_and_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    program = """
import signal, sys
from pathlib import Path
from redis import Redis
from service.run.embedded_redis import EmbeddedRedis
with EmbeddedRedis(Path(sys.argv[1])) as redis:
    Redis.from_url(redis.url).set("job", "running")
    print(redis.url, flush=True)
    signal.pause()
"""
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        assert Redis.from_url(url).ping()
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            Redis.from_url(url).ping()
        except RedisConnectionError:
            break
        time.sleep(0.05)
    else:
        pytest.fail("the server outlived its parent")
    with EmbeddedRedis(tmp_path) as redis:
        assert client(redis).get("job") == b"running"


SPOILS = {
    "garbage": lambda whole: whole + b"garbage\x00\x01" * 50,
    "half a command": lambda whole: whole + b"*3\r\n$3\r\nSET\r\n$1\r\nc\r\n$5\r\nab*1\r\nxx",
    "zeros": lambda whole: whole + bytes(4096),
    "half a transaction": lambda whole: (
        whole + b"*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\nc\r\n$1\r\n1\r\n\x00\x00"
    ),
}


@pytest.mark.parametrize("spoil", SPOILS.values(), ids=SPOILS)
def test_a_file_with_a_spoiled_end_is_kept_aside_and_repaired(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    with EmbeddedRedis(tmp_path) as redis:
        client(redis).mset({"job": "queued", "other": "x" * 1000})
        assert redis.repaired is None
    (file,) = tmp_path.rglob("*.incr.aof")
    whole = file.read_bytes()
    file.write_bytes(spoil(whole))

    with EmbeddedRedis(tmp_path) as redis:
        assert client(redis).get("job") == b"queued"
        assert client(redis).exists("c") == 0
        assert redis.repaired is not None
        assert redis.repaired.startswith(f"Redis's file ended with {len(spoil(whole)) - len(whole)} bytes")
        (kept,) = tmp_path.rglob("*.broken-*")
        assert str(kept) in redis.repaired
        assert kept.read_bytes() == spoil(whole)
        client(redis).set("later", "1")
    with EmbeddedRedis(tmp_path) as redis:
        assert (redis.repaired, client(redis).get("later")) == (None, b"1")
