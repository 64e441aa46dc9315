"""`--target-image` and `--target-mask`: the likeness to a second picture, and the region of a segment."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from ep_core.cli.main import app
from ep_core.cli.target_pictures import with_pictures
from ep_core.errors import InvalidInput, UnreadableImage
from ep_core.models.places import drawn_region
from ep_core.pictures.region import read_region
from tests.networks import model_list
from tests.pictures import encode
from tests.unit.ep_core.models.places import picture

SAMPLES = Path(__file__).parents[3] / "samples"
QUICK = ("--preset", "paper", "--iterations", "2", "--areas", "20,40%", "--no-check")
SIMILAR = {"similar_to": "target_image"}
SEGMENTER = """
[models.colours]
entry_point = "tests.unit.ep_core.models.places:Colours"
outputs = "maps"
labels = ["background", "red", "green", "blue"]
preprocessing = { input_size = [32, 32], mean = [0, 0, 0], std = [1, 1, 1] }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with small pictures and a model list."""
    folder = tmp_path_factory.mktemp("second")
    (folder / "models.toml").write_text(model_list("plain", "embedding") + SEGMENTER)
    picture((32, 32)).save(folder / "colours.png")  # the network's frame: nothing is resampled
    picture((32, 32)).transpose(Image.Transpose.TRANSPOSE).save(folder / "others.png")
    mask = Image.new("LA", (32, 32), (0, 255))
    mask.paste((255, 255), (0, 0, 16, 16))
    mask.paste((255, 0), (16, 16, 32, 32))
    mask.save(folder / "mask.png")
    Image.new("L", (32, 32)).save(folder / "black.png")
    for name in ("goose", "pizza", "airliner"):
        with Image.open(SAMPLES / f"{name}.jpg") as photograph:
            photograph.resize((48, 40)).save(folder / f"{name}.png")
    return folder


@pytest.fixture(autouse=True)
def inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def run(command: str, *arguments: str) -> Result:
    network = ("--models-file", "models.toml", "--device", "cpu")
    return CliRunner().invoke(app, [command, *arguments, *network])


def test_the_likeness_to_a_second_picture_is_explained() -> None:
    done = run("explain", "goose.png", "-m", "embedding", "--target-image", "pizza.png", *QUICK, "--json")
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["target"] == {"kind": "similar", "index": None, "label": "similar to pizza.png"}
    assert report["params"]["target"] == SIMILAR
    assert "'similar to pizza.png' scores" in done.stderr


@pytest.mark.parametrize(
    ("command", "more"),
    [
        ("compare", ("--methods", "gradient,extremal", *QUICK[:6])),
        ("channels", ("--layer", "0", "--areas", "2", "--iterations", "2")),
        ("class-channels", ("--layer", "0", "--areas", "2,8", "--iterations", "2")),
    ],
)
def test_so_it_is_by_the_other_commands(command: str, more: tuple[str, ...], tmp_path: Path) -> None:
    second = ("--target-image", "goose.png")
    done = run(command, "goose.png", "-m", "embedding", *second, *more, "--out", str(tmp_path / "out"), "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["target"]["label"] == "similar to goose.png"


def test_several_images_are_compared_with_one_and_anew_with_another(tmp_path: Path) -> None:
    def several(second: str) -> Result:
        out = ("--out", str(tmp_path / "out"))
        return run("explain", "goose.png", "pizza.png", "-m", "embedding", "--target-image", second, *QUICK, *out)

    assert several("airliner.png").exit_code == 0
    assert "2 of 2 were there already" in several("airliner.png").stderr
    assert "there already" not in several("goose.png").stderr
    assert len(list((tmp_path / "out").glob("*/result.json"))) == 4


def test_a_class_is_explained_in_the_region_of_a_mask(tmp_path: Path) -> None:
    """Transparent white is no part of it: there, nothing is red."""
    drawn = ("-t", "red", "--target-mask", "mask.png", "--out", str(tmp_path / "drawn"))
    boxed = ("-t", "red within 0,0,16,16", "--out", str(tmp_path / "boxed"))
    one, other = (run("explain", "colours.png", "-m", "colours", *more, *QUICK, "--json") for more in (drawn, boxed))
    assert (one.exit_code, other.exit_code) == (0, 0), one.output + other.output
    report, expected = json.loads(one.stdout), json.loads(other.stdout)
    assert report["params"]["target"] == {"segment": "red", "within": "target_mask"}
    assert report["target"]["label"] == "red within target_mask"
    assert report["scores"]["original"] == pytest.approx(expected["scores"]["original"], rel=0.01)


def test_several_images_have_a_region_in_common(tmp_path: Path) -> None:
    def several(mask: str) -> Result:
        more = ("-t", "red", "--target-mask", mask, "--out", str(tmp_path / "out"))
        return run("explain", "colours.png", "others.png", "-m", "colours", *more, *QUICK)

    assert several("mask.png").exit_code == 0
    assert "2 of 2 were there already" in several("mask.png").stderr
    refused = several("black.png")
    assert refused.exit_code == 2
    assert "no white pixel" in refused.stderr
    assert refused.stderr.count("others.png") == 0  # it is about no image


def test_a_target_at_a_place_needs_its_mask_before_any_image(tmp_path: Path) -> None:
    options = ("-m", "colours", "-t", "red within target_mask", *QUICK, "--out", str(tmp_path / "out"))
    done = run("explain", "colours.png", "goose.png", *options)
    assert done.exit_code == 2
    assert "target_mask is missing" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("-m", "embedding"), "has no classes: send a second picture as target_image"),
        (("-m", "plain", "--target-image", "pizza.png"), "gives no embeddings: name a class"),
        (("-m", "embedding", "-t", "a", "--target-image", "pizza.png"), "--target-image is the target by itself"),
        (("-m", "plain", "--target-mask", "pizza.png"), "--target-mask goes with --target"),
        (("--target-image", "pizza.png", "--target-mask", "pizza.png"), "give one of them"),
        (("-m", "plain", "-t", "a", "--target-mask", "pizza.png"), "segments nothing"),
        (("-m", "colours", "-t", "red within its pixels", "--target-mask", "mask.png"), "name the class alone"),
        (("-m", "colours", "-t", "red within 0,0,9,9", "--target-mask", "mask.png"), "name the class alone"),
        (("-m", "colours", "-t", "red at 0,0,9,9", "--target-mask", "mask.png"), "name the class alone"),
        (("-m", "colours", "-t", "red instead of blue", "--target-mask", "mask.png"), "name the class alone"),
        (("-m", "colours", "-t", "text: red", "--target-mask", "mask.png"), "name the class alone"),
        (("-m", "colours", "-t", "red", "--target-mask", "black.png"), "the mask has no white pixel"),
        (("-m", "colours", "-t", "red", "--target-mask", "models.toml"), "target_mask: the bytes aren't a picture"),
        (("-m", "embedding", "--target-image", "models.toml"), "target_image: the bytes aren't a picture"),
        (("-m", "embedding", "--target-image", "no.png"), "does not exist"),
    ],
)
def test_what_does_not_go_together_is_told(options: tuple[str, ...], said: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run("explain", "goose.png", *options, *QUICK, "--out", str(out))
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert not out.exists()


def test_a_model_without_classes_is_not_classified() -> None:
    done = run("classify", "goose.png", "-m", "embedding")
    assert (done.exit_code, "has no classes" in done.stderr) == (1, True)


def test_the_list_of_models_names_what_has_no_classes() -> None:
    listed = CliRunner().invoke(app, ["models", "--models-file", "models.toml"]).stdout.splitlines()
    assert [line.split()[4] for line in listed[1:]] == ["3", "embedding", "3"]  # the background is none


def test_a_mask_and_a_class_are_a_segment() -> None:
    mask = Path("any.png")
    assert with_pictures("dog", image=None, mask=mask) == {"segment": "dog", "within": "target_mask"}
    assert with_pictures(3, image=None, mask=mask) == {"segment": 3, "within": "target_mask"}
    within = {"segment": "dog", "within": "target_mask"}
    assert with_pictures(within, image=None, mask=mask) == within
    assert with_pictures({"class": 1}, image=None, mask=None) == {"class": 1}


def test_a_region_is_what_is_white_and_painted(tmp_path: Path) -> None:
    """Columns of black, dark grey, light grey and white, and the last two again, transparent."""
    columns = Image.new("LA", (6, 2))
    for column, (grey, alpha) in enumerate([(0, 255), (127, 255), (128, 255), (255, 255), (255, 0), (255, 100)]):
        for row in range(2):
            columns.putpixel((column, row), (grey, alpha))
    path = tmp_path / "mask.png"
    path.write_bytes(encode(columns, "PNG"))
    found = [drawn_region(given) for given in (path, path.read_bytes(), columns)]
    for region in (read_region(path.read_bytes()), *found):
        assert (region.mode, list(region.tobytes())) == ("L", 2 * [0, 0, 255, 255, 0, 0])
    assert list(drawn_region(np.array([[0, 127, 128, 255]], np.uint8)).tobytes()) == [0, 0, 255, 255]


def test_a_region_without_white_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no white pixel, its brightest has 1 of 255") as error:
        read_region(encode(Image.new("L", (4, 4), 1), "PNG"))
    assert error.value.field == "target_mask"
    with pytest.raises(UnreadableImage):
        read_region(b"no picture")
    with pytest.raises(UnreadableImage, match="target_mask: the bytes aren't a picture") as error:
        drawn_region(b"no picture")
    assert error.value.field == "target_mask"
