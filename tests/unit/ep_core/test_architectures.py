"""`ep models --check-all`: architectures tried by every task, and the words for what comes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

from ep_core.bench.architectures import table
from ep_core.bench.architectures.architecture import Architecture
from ep_core.bench.architectures.check import TASKS, Checked, Verdict, check
from ep_core.bench.architectures.random_weights import seeded, wake
from ep_core.bench.architectures.report import count_errors, markdown, summary
from ep_core.cli.main import app
from tests.networks import SIDE, Spoiled, plain

CPU = torch.device("cpu")


def row(make: Callable[[], nn.Module], name: str = "mine") -> Architecture:
    return Architecture(name, "own", make, side=SIDE)


def in_company(network: nn.Module, images: Tensor) -> Tensor:
    """Fail on batches that are larger than those of the check of networks."""
    if len(images) > 2:
        raise RuntimeError("a batch too large")
    return network(images)


def test_the_table_has_thirty_architectures_of_every_source() -> None:
    rows = table.architectures()
    assert len(rows) >= 30
    assert len({one.name for one in rows}) == len(rows)
    assert {one.source for one in rows} == {"torchvision", "timm", "transformers", "open_clip", "own"}


def test_a_network_that_is_refused_says_why() -> None:
    found = check(row(lambda: Spoiled(lambda network, images: network(images) * 0 + 1)), CPU)
    for task in TASKS:
        assert not found.verdicts[task].works
        assert "its scores are the same whatever the image shows" in found.verdicts[task].said
    assert count_errors([found]) == 0


@pytest.mark.slow
def test_an_unknown_error_is_an_internal_one() -> None:
    found = check(replace(row(plain), finish=partial(Spoiled, in_company)), CPU)
    assert found.verdicts["explain"] == Verdict(False, "RuntimeError: a batch too large", is_error=True)
    assert found.verdicts["compare"].is_error
    assert count_errors([found]) == 1


@pytest.mark.slow
def test_a_method_that_fails_is_an_internal_error() -> None:
    def once(network: nn.Module, images: Tensor) -> Tensor:
        if len(images) == 8:  # the batches of occlusion and LIME
            raise RuntimeError("a batch of eight")
        return network(images)

    verdict = check(replace(row(plain), finish=partial(Spoiled, once)), CPU).verdicts["compare"]
    assert verdict.is_error
    assert any("a batch of eight" in reason for _, reason in verdict.reasons)


def test_a_library_that_is_missing_is_no_error() -> None:
    def make() -> nn.Module:
        import no_such_library  # noqa: F401

        return plain()

    assert check(row(make), CPU).verdicts["explain"].said == "needs the package no_such_library, which isn't installed"


@pytest.mark.slow
def test_the_command_tries_an_architecture() -> None:
    done = CliRunner().invoke(app, ["models", "--check-all", "grey", "--device", "cpu", "--json"])
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    (one,) = found["architectures"]
    said = {task: one[task]["said"] for task in TASKS}
    assert said == {"explain": "works", "compare": "17 of 17", "channels": "2 (32 x 8 x 8)"}
    assert found["summary"] == (
        "1 architectures, explain works for 1, compare works for 1, channels works for 1, 0 internal errors, "
        "0 layer choices needed"
    )


def test_the_command_fails_where_one_ends_in_an_internal_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def make() -> nn.Module:
        raise RuntimeError("no such thing")

    monkeypatch.setattr(table, "architectures", lambda: [row(make, "broken")])
    done = CliRunner().invoke(app, ["models", "--check-all", "--device", "cpu", "--json"])
    assert done.exit_code == 1
    (one,) = json.loads(done.stdout)["architectures"]
    assert one["explain"]["internal_error"]
    assert one["explain"]["said"] == "RuntimeError: no such thing"
    shown = CliRunner().invoke(app, ["models", "--check-all", "--device", "cpu"])
    assert shown.exit_code == 1
    assert shown.stdout.splitlines()[-1].endswith("1 internal errors, 0 layer choices needed")


@pytest.mark.parametrize("wrong", [["--check-all", "nothing"], ["--check-all", "--check"], ["--markdown"]])
def test_wrong_options_are_refused(wrong: list[str]) -> None:
    assert CliRunner().invoke(app, ["models", *wrong]).exit_code == 2


def test_a_reason_is_listed_once_in_the_documentation() -> None:
    works = Verdict(True, "works")
    some = Verdict(True, "15 of 17", (("lrp", "LRP can't explain model 'a': it has no rule for GELU (at act.1)"),))
    refused = Verdict(False, "model 'a' computes tokens", needs_layer=True)
    one = Checked("a", "timm", "random", {"explain": works, "compare": some, "channels": refused})
    fewer = Verdict(True, "9 of 17", (("lrp", "LRP can't explain model 'b': it has no rule for GELU (at mlp.2)"),))
    other = Checked("b", "timm", "random", {"explain": works, "compare": fewer, "channels": works})
    found = markdown([one, other]).splitlines()
    assert found[2:4] == [
        "| a | timm | works | 15 of 17 (1) | refused (2) |",
        "| b | timm | works | 9 of 17 (1) | works |",
    ]
    assert found[5:7] == ["1. `lrp`: it has no rule for GELU", "2. the model computes tokens"]
    assert found[-1].endswith("0 internal errors, 1 layer choices needed.")
    assert summary([one]).startswith("1 architectures, explain works for 1, compare works for 1, channels works for 0,")


def test_weights_that_begin_at_zero_wake() -> None:
    def make() -> nn.Module:
        head = nn.Linear(8, 3)
        nn.init.zeros_(head.weight)
        body = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        return nn.Sequential(*body, head)

    state = torch.get_rng_state()
    network, again = seeded(make), seeded(make)
    assert torch.equal(torch.get_rng_state(), state)
    images = torch.rand(4, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)) + 3
    for one in (network, again):
        wake(one, images)
    assert not any(module.training for module in network.modules())
    assert torch.equal(network(images), again(images))
    assert network(images).std(dim=0).min() > 1e-4
    normed = network[1](network[0](images))
    assert normed.mean().abs() < 1e-3
