"""API keys: made, listed, read, found."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from service.access.cli import new_key_command
from service.access.keys import ApiKey, KeyRing, hash_key, new_key, read_keys

from .refusing import refusal

EP = Path(sys.executable).with_name("ep")


def ep(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([EP, *arguments], capture_output=True, text=True, timeout=60, check=False)


def here(*arguments: str) -> Result:
    """Run `ep new-key` in this process, which has imported it already."""
    app = typer.Typer()
    app.command()(new_key_command)
    return CliRunner().invoke(app, arguments)


def test_the_command_shows_a_key_and_adds_its_entry_to_a_private_file(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    here("first", "--file", str(file))
    file.chmod(0o644)
    made = ep(
        "new-key", "dash", "--rate", "10/second;600/minute", "--max-queued", "7", "--webhooks", "--file", str(file)
    )

    first, entry = read_keys(file)

    assert file.stat().st_mode & 0o777 == 0o600
    assert first.name == "first"
    assert "ep_" not in file.read_text()  # only its hash is stored
    key = re.search(r"ep_[\w-]{43}", made.stdout)
    assert key is not None
    assert KeyRing([entry]).find(key[0]) == entry
    assert (entry.name, entry.rate, entry.max_queued) == ("dash", "10/second;600/minute", 7)
    assert entry.webhook_secret is not None


@pytest.mark.parametrize("wrong", [["Upper"], ["a", "--rate", "often"], ["a", "--max-queued", "-1"]])
def test_the_command_says_what_is_wrong(wrong: list[str]) -> None:
    said = here(*wrong, "--file", "no-such-file")

    assert (said.exit_code, said.stdout) == (2, "")
    assert not Path("no-such-file").exists()


@pytest.mark.parametrize("there", [None, "keys = [", "a folder"])
def test_a_file_that_can_not_be_added_to_is_left_alone(tmp_path: Path, there: str | None) -> None:
    file = tmp_path / ("missing/keys.toml" if there is None else "keys.toml")
    if there == "a folder":
        file.mkdir()
    elif there is not None:
        file.write_text(there)

    said = here("dash", "--file", str(file))

    assert said.exit_code == 2
    assert "ep_" not in said.stdout
    assert not file.is_file() or file.read_text() == there


def test_a_key_is_found_by_its_hash_alone() -> None:
    mine, other = new_key(), new_key()
    ring = KeyRing([ApiKey(name="a", sha256=hash_key(other)), ApiKey(name="b", sha256=hash_key(mine))])

    assert ring.find(mine).name == "b"
    assert ring.find(mine[:-1]) is None
    assert ring.find(hash_key(mine)) is None
    assert mine not in repr(ring.of("b"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("keys = [", "keys.toml"),
        ('[[keys]]\nname = "a"', "keys.0.sha256: it is missing"),
        (f'[[keys]]\nname = "a b"\nsha256 = "{"0" * 64}"', "keys.0.name"),
        (f'[[keys]]\nname = "a"\nsha256 = "{"0" * 64}"\nrate = "x"', "write it as 600/minute"),
        (f'[[keys]]\nname = "a"\nsha256 = "{"0" * 64}"\nlimit = 1', "keys.0.limit: there is no such field"),
    ],
)
def test_a_wrong_file_is_one_clear_line(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(text)

    said = refusal(EP_API_KEYS_FILE=str(file))

    assert says in said


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])
def test_without_keys_only_this_machine_is_served(host: str) -> None:
    said = refusal(EP_HOST=host)

    assert "EP_API_KEYS_FILE" in said
    assert "EP_ALLOW_ANONYMOUS" in said
