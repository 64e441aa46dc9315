"""Commands and addresses that README and docs show are those that there are."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import typer

from docs.site.staging import sources
from ep_core.cli.main import app, ep

PAGES = [page for page in sources() if page.name != "CHANGELOG.md"]
_BLOCK = re.compile(r"^```sh\n(.*?)^```|(?<=\n\n)((?: {4}[^\n]*\n)+)", re.DOTALL | re.MULTILINE)
_ENDS = {"|", "||", "&&", ";", ">", "2>", "2>&1", "&"}
_OF_ALL = {"--help", "--install-completion", "--show-completion"}
_ADDRESS = re.compile(r"127\.0\.0\.1:8000(/[\w/.{}-]*)")


def commands(page: Path) -> Iterator[str]:
    """Yield the lines of a page's commands, continued ones joined."""
    for fenced, indented in _BLOCK.findall(page.read_text()):
        yield from (fenced or indented).replace("\\\n", " ").splitlines()


def wrong_words(line: str) -> list[str]:
    """Return the words of a command of `ep` that it doesn't have."""
    given = itertools.takewhile(lambda word: word not in _ENDS, shlex.split(line, comments=True))
    command, wrong = _ep(), []
    for word in list(given)[1:]:
        if not word.startswith("-"):
            commands = getattr(command, "commands", None)
            if commands is None:
                continue  # a value
            if word not in commands:
                return [word]
            command = commands[word]
        elif word.partition("=")[0] not in _options(command):
            wrong.append(word)
    return wrong


def _options(command: Any) -> set[str]:
    return {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | _OF_ALL


@cache
def _ep() -> Any:
    """`ep` with the commands that the floors above add."""
    whole = typer.Typer()
    whole.callback()(ep)
    whole.registered_commands += app.registered_commands
    whole.registered_groups += app.registered_groups
    for entry in entry_points(group="ep.commands"):
        whole.command(entry.name)(entry.load())
    command: Any = typer.main.get_command(whole)
    for entry in entry_points(group="ep.bench"):
        one = typer.Typer()
        one.command(entry.name)(entry.load())
        command.commands["bench"].add_command(typer.main.get_command(one), entry.name)
    return command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_ep_and_its_options_are_there(page: Path) -> None:
    shown = [line.strip() for line in commands(page) if line.strip().startswith("ep ")]
    assert {line: wrong for line in shown if (wrong := wrong_words(line))} == {}


def test_every_address_is_one_that_the_service_serves() -> None:
    from service.app import create_app

    paths = [re.sub(r"\{\w+\}", r"[\\w.{}]+", path) for path in create_app().openapi()["paths"]] + [
        "/",
        "/docs",
        "/openapi.json",
        "/metrics",
    ]
    shown = {
        address.rstrip("/.") or "/" for page in PAGES for line in commands(page) for address in _ADDRESS.findall(line)
    }
    assert len(shown) > 5
    assert [address for address in sorted(shown) if not any(re.fullmatch(path, address) for path in paths)] == []


def test_what_is_not_there_is_found() -> None:
    assert wrong_words("ep explain photo.jpg --areas=10% --no-such-option | cut -c1") == ["--no-such-option"]
    assert wrong_words("ep evaluate nothing --out x") == ["nothing"]
