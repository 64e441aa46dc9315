"""API keys: made, listed, read, found."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from service.access.keys import ApiKey, KeyRing, hash_key, new_key, read_keys

from .refusing import refusal

EP = Path(sys.executable).with_name("ep")


def ep(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([EP, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_the_command_prints_a_key_and_its_entry(tmp_path: Path) -> None:
    made = ep("new-key", "dash", "--rate", "10/second;600/minute", "--max-queued", "7", "--webhooks")
    file = tmp_path / "keys.toml"
    file.write_text(made.stdout)

    (entry,) = read_keys(file)

    assert "ep_" not in made.stdout  # only its hash is stored
    key = re.search(r"ep_[\w-]{43}", made.stderr)
    assert key is not None
    assert KeyRing([entry]).find(key[0]) == entry
    assert (entry.name, entry.rate, entry.max_queued) == ("dash", "10/second;600/minute", 7)
    assert entry.webhook_secret is not None


@pytest.mark.parametrize("wrong", [["Upper"], ["a", "--rate", "often"], ["a", "--max-queued", "-1"]])
def test_the_command_says_what_is_wrong(wrong: list[str]) -> None:
    said = ep("new-key", *wrong)

    assert (said.returncode, said.stdout) == (2, "")
    assert "Traceback" not in said.stderr


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
        ('[[keys]]\nname = "a"', "keys.0.sha256: Field required"),
        (f'[[keys]]\nname = "a b"\nsha256 = "{"0" * 64}"', "keys.0.name"),
        (f'[[keys]]\nname = "a"\nsha256 = "{"0" * 64}"\nrate = "x"', "write it as 600/minute"),
        (f'[[keys]]\nname = "a"\nsha256 = "{"0" * 64}"\nlimit = 1', "keys.0.limit: Extra inputs"),
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
