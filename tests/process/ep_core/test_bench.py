"""The benchmarks run, on few steps, and report their measurements. They assert no times."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from ep_core.bench.streamed import differences
from ep_core.bench.torchray import Comparison, Pair, summarise
from ep_core.bench.torchray_side import import_torchray
from ep_core.cli.bench.commands import bench_app
from ep_core.errors import InvalidInput
from ep_core.pictures.photographs import pick
from tests.networks import model_list

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "samples"


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Options that name a tiny network of images that are large enough for TorchRay's masks."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # for the processes that load it
    path = tmp_path / "models.toml"
    path.write_text(model_list("plain").replace("[32, 32]", "[96, 96]"))
    return ("--model", "plain", "--models-file", str(path))


def bench(*arguments: str | Path) -> str:
    """Run it in this process, which has torch already; `test_cli` runs one as users do."""
    done = CliRunner().invoke(bench_app, [*map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_masks_prints_the_ratio_for_each_batch() -> None:
    printed = bench("masks", "--lanes", "1,2", "--rounds", "1")
    assert "times as fast" in printed
    assert len([line for line in printed.splitlines() if line.strip()[:1] in ("1", "2")]) == 2


def test_step_prints_the_ratio_for_each_batch(tiny: tuple[str, ...]) -> None:
    printed = bench("step", "--lanes", "1,2", "--rounds", "1", *tiny)
    assert printed.count("bare network, tuned") == 2
    assert printed.count("'paper'") == 2


def test_memory_prints_the_ratio(tiny: tuple[str, ...]) -> None:
    printed = bench("memory", *tiny)
    assert "sweep:" in printed
    assert float(printed.split("ratio")[1]) > 0


@pytest.mark.parametrize("streamed", [[], ["--streamed", "--timed", "1"]])
def test_torchray_runs_beside_us(streamed: list[str], tiny: tuple[str, ...]) -> None:
    printed = bench("torchray", SAMPLES / "goose.jpg", "--areas", "0.5", "--iterations", "1", *streamed, *tiny)
    assert "extrapolated to 800" in " ".join(printed.split())
    assert re.search(r"goose\.jpg [abc], Phi\(x\) = -?\d", printed)
    assert "our score at least TorchRay's" in printed
    assert ("streamed masks differ by" in " ".join(printed.split())) == bool(streamed)


def test_presets_are_compared(tiny: tuple[str, ...]) -> None:
    printed = bench("presets", SAMPLES / "goose.jpg", "--areas", "0.5", "--iterations", "1", *tiny)
    assert "mean (score of fast - score of paper) / Phi(x)" in printed


def test_streamed_masks_are_torchrays_own() -> None:
    masks, gradients = differences(import_torchray().MaskGenerator, (56, 70))
    assert masks < 1e-5
    assert gradients < 1e-4


def test_summary_by_hand() -> None:
    def one(original: float, theirs: float, ours: float, seconds: float) -> Comparison:
        pair = Pair(asked=0.1, area=0.14, measured=0.14, theirs=theirs, ours=ours, theirs_there=0, ours_there=1)
        return Comparison(
            label="goose", original=original, pairs=[pair], seconds=seconds, iterations=50,
            torchray_seconds_per_iteration=1.0, apart=None,
        )  # fmt: skip

    total = summarise([one(10, 5, 6, 10), one(20, 8, 6, 6)])
    assert total.mean_gain == pytest.approx((0.1 - 0.1) / 2)
    assert total.mean_gain_there == pytest.approx((0.1 + 0.05) / 2)
    assert total.share_at_least == 0.5
    assert total.sweep_ratio == pytest.approx(1600 / 16)
    assert total.iteration_ratio == pytest.approx((1 / (10 / 50) + 1 / (6 / 50)) / 2)


def test_channels_are_compared_with_random_ones() -> None:
    printed = " ".join(bench("channels", SAMPLES / "goose.jpg", "--layer", "features.18").split())
    assert printed.count("a* found in 1, on average") == 2
    assert "lower without them in 1 of 1" in printed


def test_classes_are_compared_with_each_other() -> None:
    printed = bench("classes", SAMPLES, "--layer", "features.18", "--classes", "2", "--top", "5")
    assert "random ones" in printed
    assert len([line for line in printed.splitlines() if line.count(",") == 4]) == 2  # each class's five


def test_photographs_are_drawn_by_the_seed() -> None:
    assert pick([SAMPLES], count=3, seed=1) == pick([SAMPLES], count=3, seed=1)
    assert len(pick([SAMPLES], count=100, seed=0)) == 5
    with pytest.raises(InvalidInput, match="no photographs"):
        pick([Path(__file__).parent], count=1, seed=0)


def test_a_wrong_number_is_told_in_a_line() -> None:
    done = CliRunner().invoke(bench_app, ["step", "--lanes", "six"])
    assert done.exit_code == 2
    assert "lanes must be positive numbers" in done.stderr


def test_the_engine_s_tuning_does_not_reach_torchray(monkeypatch: pytest.MonkeyPatch) -> None:
    from ep_core.bench import torchray_side

    seen: dict[str, str] = {}

    def run(command: list[str], env: dict[str, str], **_: object) -> subprocess.CompletedProcess[str]:
        seen.update(env)
        return subprocess.CompletedProcess(command, 1, "", "stopped here")

    monkeypatch.setenv("GOMP_SPINCOUNT", "5000")
    monkeypatch.setattr(torchray_side.subprocess, "run", run)
    request = torchray_side.TorchRayRequest(
        "mobilenet_v2", None, "cpu", torch.zeros(1, 3, 8, 8), 0, (0.1,), 1, 0, False
    )
    with pytest.raises(torchray_side.ModelUnavailable, match="stopped here"):
        torchray_side.run(request)
    assert "GOMP_SPINCOUNT" not in seen
