"""The command `ep`: run as a user runs it, and, where only what it says counts, in this process."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from ep_core.cli.main import app
from ep_core.cli.verdicts import alternatives_verdict, contrast_verdict, stability_verdict
from ep_core.schemas.reports.common import TargetRef
from ep_core.schemas.reports.extremal import Alternative, Contrast, Stability, StabilityPoint
from tests.networks import model_list

SAMPLES = Path(__file__).parents[3] / "samples"
EP = Path(sys.executable).with_name("ep")
MASKS_ONLY = ("--no-check", "--no-contrast", "--alternatives", "0")


def ep(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([EP, *map(str, arguments)], capture_output=True, text=True, timeout=240, check=False)


def here(*arguments: str | Path) -> Result:
    """Run it in this process, which has torch already: a process of its own takes seconds to import it."""
    return CliRunner().invoke(app, [*map(str, arguments)])


def test_explain_writes_everything(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = ep("explain", SAMPLES / "black_bear.jpg", "--out", out, "--areas", "0.4,0.1", "--iterations", "3")
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "American black bear" in said
    assert "another run" in said
    assert "Why 'American black bear' and not 'chimpanzee'" in said
    assert {str(path.relative_to(out)) for path in out.rglob("*.*")} == {
        "result.json", "result.html", "reveal.webp", "curve.svg", "saliency.png",
        "masks/0.1.png", "masks/0.4.png", "masks/0.1.model.png", "masks/0.4.model.png",
        "overlays/0.1.png", "overlays/0.4.png",
        "masks/contrast.png", "masks/contrast.model.png", "overlays/contrast.png",
    }  # fmt: skip
    result = json.loads((out / "result.json").read_text())
    assert [point["area"] for point in result["curve"]] == [0.1, 0.4]
    assert all(abs(point["measured_area"] - point["area"]) < 0.005 for point in result["curve"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--areas", "0.1,10,20"], "--areas: 10 is not a share of the image: write 0.1 for 10 %, or 10%"),
        (["--areas", ""], "--areas: there must be at least 1, not 0"),
        (["--areas", "0.1,0.1"], "areas must all be different"),
        (["--areas", "a"], "--areas: 'a' is not a number"),
        (["--variant", "keep"], "'preserve', 'delete' or 'hybrid'"),
        (["--threshold", "nan"], "--threshold: nan is not a finite number"),
        (["--target", "black bear"], "did you mean 'American black bear'"),
        (["--target", "1000"], "use 0 to 999"),
        (["--model", "mobilenet"], "mobilenet_v2"),
        (["--device", "gpu"], "use cpu, cuda, cuda:N"),
        (["--device", "cuda:99"], "device 'cuda:99' is not here"),
        (["--sigma-max", "0"], "--sigma-max: 0.0 is too small: it must be more than 0"),
    ],
)
def test_mistakes_are_explained_in_a_line(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = here("explain", SAMPLES / "goose.jpg", "--out", tmp_path / "out", *arguments)
    assert done.exit_code == 2  # 1 where it isn't explained
    assert said in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_text("hello")
    done = here("explain", tmp_path / "photo.jpg", "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert "picture" in done.stderr


def test_a_folder_that_can_t_be_written_is_told_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    for out in (tmp_path / "taken", tmp_path / "taken" / "deeper"):
        done = here("explain", SAMPLES / "goose.jpg", "--out", out)
        assert done.exit_code == 2
        assert "can't write to" in done.stderr


def test_results_lie_beside_where_one_is_unless_told_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    options = ("--areas", "0.5", "--iterations", "1", "--pyramid-levels", "3", *MASKS_ONLY)
    assert here("explain", SAMPLES / "goose.jpg", *options).exit_code == 0
    result = json.loads((tmp_path / "goose-explained" / "result.json").read_text())
    assert result["params"]["pyramid_levels"] == 3


def test_models_are_listed() -> None:
    done = here("models")
    assert done.exit_code == 0
    assert "mobilenet_v2" in done.stdout
    assert "vgg16" in done.stdout


def test_bench_prints_the_ratio(tmp_path: Path) -> None:
    (tmp_path / "models.toml").write_text(model_list("plain"))
    network = ("--model", "plain", "--models-file", tmp_path / "models.toml")
    done = here("bench", "step", "--lanes", "1", "--rounds", "1", *network)
    assert done.exit_code == 0, done.stderr
    assert "bare network" in done.stdout
    assert "'paper'" in done.stdout


def test_commands_of_all_floors_are_there() -> None:
    listed = re.findall(r"^│ ([a-z][a-z-]*) ", ep("--help").stdout, re.MULTILINE)
    ours = ["explain", "dataset", "classify", "compare", "channels", "class-channels", "models", "evaluate", "bench"]
    assert listed[: len(ours)] == ours
    assert {"serve", "api", "worker", "new-key", "mcp"} == set(listed[len(ours) :])


def steady(agreement: float, least: float | None = 0.2, most: float | None = 0.2) -> Stability:
    points = [StabilityPoint(area=area, agreement=one, spread=1) for area, one in ((0.1, 0.3), (0.2, agreement))]
    return Stability(walks=12, saliency_correlation=0.9, optimal_areas=(least, most), points=points)


@pytest.mark.parametrize(
    ("found", "optimal", "said"),
    [
        (steady(0.7), 0.2, "Steady: another run gives nearly the same region at 20.0% (agreement 0.70)."),
        (steady(0.69), 0.2, "Mostly steady: another run gives mostly the same region at 20.0% (agreement 0.69)."),
        (steady(0.39), 0.2, "Varies: another run may choose another region at 20.0% (agreement 0.39)."),
        (steady(0.9, None, None), None, "Varies: another run may choose another region at 10.0% (agreement 0.30)."),
        (steady(0.8, 0.1, 0.2), 0.2, "Steady: another run gives nearly the same region at 20.0% (agreement 0.80). "
                                     "Where runs differ, 10.0% to 20.0% is enough."),
        (steady(0.8, 0.2, None), 0.2, "Steady: another run gives nearly the same region at 20.0% (agreement 0.80). "
                                      "Where runs differ, 20.0% may be enough, or no area of the sweep."),
    ],
)  # fmt: skip
def test_how_steady_an_answer_is(found: Stability, optimal: float | None, said: str) -> None:
    assert stability_verdict(found, optimal) == said


def test_other_answers_in_words() -> None:
    other = Alternative(area=0.2, measured_area=0.2, preserve=13.94, delete=9.8, overlap=0.06)
    assert alternatives_verdict([other]) == (
        "Either that region suffices, or another: 20.0% that scores 13.94, overlap 6%."
    )
    contrast = Contrast(
        rival=TargetRef(index=97, label="drake"),
        area=0.2,
        measured_area=0.2,
        original=3.9,
        preserve=12.3,
        target_score=16.7,
        rival_score=4.4,
    )
    assert contrast_verdict(contrast, "goose") == (
        "Why 'goose' and not 'drake': with 20.0% kept they score 16.70 and 4.40, 12.30 apart; 3.90 in the whole image."
    )


@pytest.mark.parametrize("count", ["5", "-1"])
def test_alternatives_are_counted(tmp_path: Path, count: str) -> None:
    done = here("explain", SAMPLES / "goose.jpg", "--out", tmp_path / "out", "--alternatives", count)
    assert done.exit_code == 2
    assert "--alternatives: " in done.stderr


def test_other_answers_are_sought_only_where_asked_for(tmp_path: Path) -> None:
    options = ("--areas", "0.3", "--iterations", "1", *MASKS_ONLY)
    done = here("explain", SAMPLES / "goose.jpg", "--out", tmp_path / "out", *options)
    assert done.exit_code == 0, done.stderr
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert (result["alternatives"], result["contrast"]) == ([], None)
    assert not (tmp_path / "out" / "masks" / "contrast.png").exists()


def test_channels_writes_everything(tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ("--out", out, "--layer", "features.18", "--areas", "100,1280", "--iterations", "3")
    done = here("channels", SAMPLES / "black_bear.jpg", *arguments)
    assert done.exit_code == 0, done.stderr
    assert "1280 channels of features.18 suffice" in " ".join(done.stdout.split())
    assert {path.name for path in out.iterdir()} == {"result.json", "curve.svg", "saliency.png", "masks.json"}
    result = json.loads((out / "result.json").read_text())
    assert [point["area"] for point in result["curve"]] == [100, 1280]


def test_class_channels_over_a_folder(tmp_path: Path) -> None:
    folder, out = tmp_path / "buses", tmp_path / "out"
    folder.mkdir()
    for name in ("a.jpg", "b.jpg"):
        (folder / name).write_bytes((SAMPLES / "school_bus.jpg").read_bytes())
    arguments = ("--out", out, "--layer", "features.18", "--areas", "100,1280", "--iterations", "3", "--no-invert")
    done = here("class-channels", folder, *arguments)
    assert done.exit_code == 0, done.stderr
    assert "'school bus' at features.18, over 2 of 2 images" in " ".join(done.stdout.split())
    assert (out / "channels.png").exists()
    assert [image["name"] for image in json.loads((out / "result.json").read_text())["images"]] == ["a.jpg", "b.jpg"]
    (folder / "c.jpg").write_bytes(b"no picture")
    done = here("class-channels", folder, *arguments)
    assert done.exit_code == 2
    assert "c.jpg" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--layer", "features.81"], "did you mean 'features.1', 'features.8'"),
        (["--areas", "0,5"], "--areas: 0 is too small: it must be at least 1"),
        (["--areas", "97"], "use 1 to 96"),
        (["--areas", "x"], "--areas: 'x' is not a whole number"),
    ],
)
def test_mistakes_about_channels_are_explained(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = here("channels", SAMPLES / "goose.jpg", "--out", tmp_path / "out", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr


def test_layers_are_listed() -> None:
    lines = here("models", "--layers", "mobilenet_v2").stdout.splitlines()
    wanted = "features.13 InvertedResidual 96 14 x 14 channels,"
    assert any(line.split()[:7] == wanted.split() for line in lines)


def test_warnings_are_shown_and_heeded(tmp_path: Path) -> None:
    """The photograph as a camera of 12 bits writes it into 16."""
    deep = tmp_path / "deep.png"
    with Image.open(SAMPLES / "black_bear.jpg") as photograph:
        Image.fromarray(np.asarray(photograph.convert("L")).astype(np.uint16) * 16).save(deep)
    quick = ("--areas", "0.4", "--iterations", "2", *MASKS_ONLY)
    dark = here("explain", deep, "--out", tmp_path / "dark", *quick)
    assert "Warning: No sample of the 16-bit image is above 4080" in dark.stderr
    said = json.loads((tmp_path / "dark" / "result.json").read_text())["warnings"]
    assert [warning["kind"] for warning in said if warning["kind"] == "white-level"] == ["white-level"]
    bright = here("explain", deep, "--out", tmp_path / "bright", "--white-level", "4095", *quick)
    assert "white_level" not in bright.stderr
    assert "American black bear" in bright.stdout
