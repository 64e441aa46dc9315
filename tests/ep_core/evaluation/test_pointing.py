"""The pointing game, by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from typer import Typer
from typer.testing import CliRunner

from ep_core.baselines.method import Method, MethodUnavailable, Question
from ep_core.errors import InvalidInput
from ep_core.evaluation.difficult import is_difficult, read_list
from ep_core.evaluation.pointing import pointing
from ep_core.evaluation.pointing_cli import pointing_command
from ep_core.evaluation.points import highest_point, is_hit, on_image
from ep_core.evaluation.report import EvaluationReport, Table
from ep_core.evaluation.scenes import DataSet, Scene
from ep_core.models import Classifier, Preprocessing
from ep_core.models.frame import Frame
from ep_core.spec import CompareSpec

SIDE = 48
CLASSES = {"red": (0,), "cold": (1, 2)}
SAMPLES = Path(__file__).parents[3] / "samples"


@pytest.fixture
def colours() -> Classifier:
    """Scores how much red, green and blue there is; pictures whose shorter side is 48 are taken as they are."""
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    preprocessing = Preprocessing(input_size=(SIDE, SIDE), mean=(0, 0, 0), std=(1, 1, 1))
    return Classifier(network, name="colours", preprocessing=preprocessing, labels=["red", "green", "blue"])


def square(left: int, top: int, side: int = 4) -> Callable[[], np.ndarray]:
    def mask() -> np.ndarray:
        found = np.zeros((SIDE, 64), dtype=bool)
        found[top : top + side, left : left + side] = True
        return found

    return mask


@pytest.fixture
def scene(tmp_path: Path) -> Callable[..., Scene]:
    def make(name: str, colour: tuple[int, int, int] = (200, 10, 90), **objects: Callable[[], np.ndarray]) -> Scene:
        path = tmp_path / f"{name}.png"
        Image.new("RGB", (64, SIDE), colour).save(path)
        return Scene(name, path, (SIDE, 64), objects)

    return make


def pictures(*scenes: Scene) -> DataSet:
    return DataSet("colours", ("red", "cold", "person"), scenes, (0.1,))


def peaks(*points: tuple[int, int]) -> Method:
    """Points at each of some pixels for target 0, 1, ..., whatever the picture."""

    def attribute(question: Question) -> Tensor:
        maps = torch.full((len(question.targets), *question.x.shape[2:]), -3.0)
        for map_, target in zip(maps, question.targets, strict=True):
            column, row = points[target % len(points)]
            map_[row, column] = 5
        return maps

    return Method("Peaks", "test", attribute)


def rows(table: Table) -> dict[str, dict[str, object]]:
    return {str(row[0]): dict(zip(table.columns, row, strict=True)) for row in table.rows}


def play(model: Classifier, data: DataSet, found: dict[str, Method], **options: object) -> EvaluationReport:
    return pointing(model, data, list(found), CLASSES, find=found.__getitem__, **options)  # type: ignore[arg-type]


def test_distance_to_the_object_decides() -> None:
    mask = np.zeros((60, 60), dtype=bool)
    mask[30, 30] = True
    assert is_hit(mask, (30, 30), 0)
    assert not is_hit(mask, (31, 30), 0)
    assert is_hit(mask, (45, 30), 15)
    assert not is_hit(mask, (46, 30), 15)
    assert is_hit(mask, (30, 15), 15)
    assert not is_hit(mask, (30, 14), 15)
    assert is_hit(mask, (21, 18), 15)  # 9 and 12: exactly 15
    assert not is_hit(mask, (41, 41), 15)  # 11 and 11: 15.6
    mask[30, 30], mask[0, 59] = False, True
    assert is_hit(mask, (59, 15), 15)
    assert not is_hit(np.zeros_like(mask), (3, 3), 15)


def test_of_several_maxima_the_middle_one_is_the_point() -> None:
    flat = np.zeros((9, 21))
    assert highest_point(flat) == (10, 4)
    flat[2, 3] = flat[2, 5] = flat[2, 13] = 1  # their mean is column 7
    assert highest_point(flat) == (5, 2)


def test_maps_lie_on_the_picture_in_their_order() -> None:
    frame = Frame((20, 40), (10, 20), (0, 0, 40, 20))
    values = np.full((10, 20), -1e6)
    values[3, 14] = -1e6 + 1  # the order counts, not the size
    shown = on_image(values, frame, 0)
    assert shown.shape == (20, 40)
    assert highest_point(shown) in {(28, 6), (29, 6), (28, 7), (29, 7)}
    assert shown.min() == 0
    assert not on_image(np.full((10, 20), 7.0), frame, 0.09).any()


def test_accuracy_is_averaged_over_classes(colours: Classifier, scene: Callable[..., Scene]) -> None:
    data = pictures(
        scene("a", red=square(8, 8), cold=square(40, 30)),
        scene("b", red=square(8, 8), person=square(0, 0)),
        scene("c", red=square(40, 40)),
        scene("d", person=square(8, 8)),  # shows nothing that the network knows
    )
    report = play(colours, data, {"peaks": peaks((9, 9), (0, 0), (41, 31))})
    row = rows(report.tables[0])["Peaks"]
    assert report.items == 3
    assert row["Pairs"] == 4
    assert row["All"] == pytest.approx((2 / 3 + 1) / 2)
    assert row["All pairs"] == 3 / 4
    assert row["Difficult pairs"] == 3  # c shows nothing else
    assert row["Difficult"] == 1
    assert rows(report.tables[1]) == {
        "red": {"Class": "red", "Pairs": 3, "Peaks": pytest.approx(2 / 3)},
        "cold": {"Class": "cold", "Pairs": 1, "Peaks": 1},
    }
    assert report.settings["categories_left_out"] == ["person"]
    assert "2 of 3 categories" in report.tables[0].note


def test_the_class_that_scores_highest_stands_for_the_category(
    colours: Classifier, scene: Callable[..., Scene], tmp_path: Path
) -> None:
    data = pictures(scene("blue", (9, 20, 200), cold=square(1, 1)), scene("green", (200, 90, 20), cold=square(1, 1)))
    play(colours, data, {"peaks": peaks((1, 1))}, logs=tmp_path / "logs")
    lines = [json.loads(line) for line in (tmp_path / "logs" / "peaks-0.jsonl").read_text().splitlines()[1:]]
    assert {line["item"]: line["pairs"]["cold"]["target"] for line in lines} == {"blue": 2, "green": 1}
    assert lines[0]["pairs"]["cold"] | {"target": 2} == {
        "target": 2,
        "point": [1, 1],
        "hit": True,
        "difficult": False,
    }


def test_the_center_hits_what_is_in_the_middle(colours: Classifier, scene: Callable[..., Scene]) -> None:
    def accuracy(left: int) -> object:
        report = pointing(colours, pictures(scene("a", red=square(left, 22))), ["center"], CLASSES)
        return rows(report.tables[0])["Center"]["All"]

    # Its point is column 31 or 32 of 64 and row 23 or 24.
    assert accuracy(30) == 1
    assert accuracy(32 + 15 - 1) == 1
    assert accuracy(32 + 16) == 0


def test_a_pair_is_difficult_when_small_and_not_alone(scene: Callable[..., Scene], tmp_path: Path) -> None:
    alone = scene("alone", red=square(0, 0))
    both = scene("both", red=square(0, 0), person=square(0, 0, 40))
    quarter = np.zeros((SIDE, 64), dtype=bool)
    quarter[:24, :32] = True
    assert not is_difficult(alone, "red", square(0, 0)())
    assert is_difficult(both, "red", square(0, 0)())
    assert not is_difficult(both, "person", square(0, 0, 40)())
    assert not is_difficult(both, "red", quarter)
    quarter[0, 0] = False
    assert is_difficult(both, "red", quarter)

    (tmp_path / "list").write_text("both.jpg fire hydrant\nboth person\n\nalone\n")
    listed = read_list(tmp_path / "list")
    assert listed == {"both": {"fire hydrant", "person"}, "alone": set()}
    assert is_difficult(both, "person", quarter, listed)
    assert not is_difficult(both, "red", quarter, listed)
    assert not is_difficult(alone, "red", quarter, listed)
    assert is_difficult(scene("unlisted", red=quarter), "red", quarter, listed)
    with pytest.raises(InvalidInput, match="can't read"):
        read_list(tmp_path / "nothing")


def counted(method: Method, calls: list[tuple[int, ...]]) -> Method:
    def attribute(question: Question) -> Tensor:
        calls.append(question.targets)
        return method.attribute(question)

    return Method(method.title, method.source, attribute)


def test_a_stopped_game_goes_on(colours: Classifier, scene: Callable[..., Scene], tmp_path: Path) -> None:
    calls: list[tuple[int, ...]] = []
    found = {"peaks": counted(peaks((9, 9)), calls)}
    data = pictures(scene("a", red=square(8, 8), cold=square(8, 8)), scene("b", red=square(8, 8)))
    log = tmp_path / "peaks-0.jsonl"
    first = play(colours, data, found, logs=tmp_path)
    assert calls == [(0, 2), (0,)]  # both classes of a picture at once
    written = log.read_text()
    assert play(colours, data, found, logs=tmp_path).tables == first.tables
    assert len(calls) == 2
    assert log.read_text() == written

    log.write_text(written[:-20])  # stopped while it wrote b
    again = play(colours, data, found, logs=tmp_path)
    assert calls[2:] == [(0,)]
    assert rows(again.tables[0])["Peaks"]["All"] == rows(first.tables[0])["Peaks"]["All"]

    for other in (
        {"tolerance": 3},
        {"fit": "stretch"},
        {"spec": CompareSpec(areas=(0.3,))},
        {"difficult": {"a": set()}},
    ):
        with pytest.raises(InvalidInput, match="other settings"):
            play(colours, data, found, logs=tmp_path, **other)


def test_methods_and_pictures_can_be_added(colours: Classifier, scene: Callable[..., Scene], tmp_path: Path) -> None:
    calls: list[tuple[int, ...]] = []
    found = {"peaks": counted(peaks((9, 9)), calls)}
    one, two = scene("a", red=square(8, 8)), scene("b", red=square(8, 8))
    play(colours, pictures(one), found, logs=tmp_path)
    report = play(colours, pictures(one, two), found | {"others": peaks((40, 40))}, logs=tmp_path)
    assert len(calls) == 2
    assert [row[1] for row in report.tables[0].rows] == [1, 0]


def test_random_methods_run_with_every_seed(colours: Classifier, scene: Callable[..., Scene], tmp_path: Path) -> None:
    def attribute(question: Question) -> Tensor:
        point = (9, 9) if question.spec.seed == 7 else (40, 40)
        return peaks(point).attribute(question)

    found = {"dice": Method("Dice", "test", attribute, random=True), "peaks": peaks((9, 9))}
    report = play(colours, pictures(scene("a", red=square(8, 8))), found, seeds=(7, 8, 9), logs=tmp_path)
    dice, fixed = rows(report.tables[0]).values()
    assert (dice["All"], dice["Runs"]) == (pytest.approx(1 / 3), 3)
    assert dice["All sd"] == pytest.approx((1 / 3) ** 0.5)
    assert (fixed["All"], fixed["All sd"], fixed["Runs"]) == (1, None, 1)
    assert sorted(path.name for path in tmp_path.glob("*.jsonl")) == [
        "dice-7.jsonl",
        "dice-8.jsonl",
        "dice-9.jsonl",
        "peaks-7.jsonl",
    ]


def test_a_method_that_is_unavailable_gets_a_row(colours: Classifier, scene: Callable[..., Scene]) -> None:
    def refuse(_: Question) -> Tensor:
        raise MethodUnavailable("has no ReLU")

    def find(name: str) -> Method:
        if name == "missing":
            raise MethodUnavailable("needs a package")
        return {"picky": Method("Picky", "test", refuse), "peaks": peaks((9, 9))}[name]

    names = ["missing", "picky", "peaks"]
    report = pointing(colours, pictures(scene("a", red=square(8, 8))), names, CLASSES, find=find)
    found = rows(report.tables[0])
    assert (found["missing"]["All"], found["missing"]["Remark"]) == (None, "needs a package")
    assert (found["Picky"]["All"], found["Picky"]["Remark"]) == (None, "has no ReLU")
    assert (found["Peaks"]["All"], found["Peaks"]["Remark"]) == (1, "")
    assert rows(report.tables[1])["red"] == {"Class": "red", "Pairs": 1, "missing": None, "Picky": None, "Peaks": 1}


def test_sums_of_masks_are_smoothed(colours: Classifier, scene: Callable[..., Scene]) -> None:
    def attribute(question: Question) -> Tensor:
        maps = torch.zeros(1, *question.x.shape[2:])
        maps[:, 2, 2] = 2  # the highest pixel is a speck
        maps[:, 26:39, 40:53] = 1
        return maps

    data = pictures(scene("a", red=square(44, 30)))
    method = Method("Sum", "test", attribute)
    assert play(colours, data, {"grad_cam": method}).tables[0].rows[0][1] == 0
    assert play(colours, data, {"extremal": method}).tables[0].rows[0][1] == 1


def test_the_network_is_frozen_while_asked_and_left_as_it_was(scene: Callable[..., Scene]) -> None:
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(), nn.Linear(3, 3)).train()
    model = Classifier(network, preprocessing=Preprocessing((SIDE, SIDE)))

    def attribute(question: Question) -> Tensor:
        assert not any(module.training for module in question.network.modules())
        assert not any(parameter.requires_grad for parameter in question.network.parameters())
        return peaks((9, 9)).attribute(question)

    play(model, pictures(scene("a", red=square(8, 8))), {"looks": Method("Looks", "test", attribute)})
    assert all(module.training for module in network.modules())
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_progress_weighs_methods_by_their_passes(colours: Classifier, scene: Callable[..., Scene]) -> None:
    slow = Method("Slow", "test", peaks((9, 9)).attribute, passes=9)
    quick = Method("Quick", "test", peaks((9, 9)).attribute, passes=1)
    shares: list[float] = []
    data = pictures(scene("a", red=square(8, 8)))
    play(colours, data, {"slow": slow, "quick": quick}, on_progress=lambda share, _: shares.append(share))
    assert shares == sorted(shares)
    assert {0, 0.9, 1} <= {round(share, 6) for share in shares}


def test_nothing_to_measure_is_said(colours: Classifier, scene: Callable[..., Scene]) -> None:
    with pytest.raises(InvalidInput, match="no picture shows a class"):
        play(colours, pictures(scene("a", person=square(8, 8))), {"peaks": peaks((9, 9))})
    data = pictures(scene("b", red=square(8, 8)))
    with pytest.raises(InvalidInput, match="seeds must all be different"):
        play(colours, data, {"peaks": peaks((9, 9))}, seeds=(1, 1))
    with pytest.raises(InvalidInput, match="tolerance"):
        play(colours, data, {"peaks": peaks((9, 9))}, tolerance=-1)


def evaluate(*arguments: object) -> tuple[int, str]:
    app = Typer()
    app.command()(pointing_command)
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return done.exit_code, done.output


def test_the_command_writes_a_report(tmp_path: Path) -> None:
    table = tmp_path / "boxes.csv"
    table.write_text("image,label,left,top,right,bottom\ngoose.jpg,goose,0,0,9999,9999\npizza.jpg,pizza,0,0,3,3\n")
    data = ("--boxes", table, "--box-images", SAMPLES, "--out", tmp_path / "out", "--device", "cpu")
    code, printed = evaluate(*data, "--methods", "center", "--areas", "0.1,0.2")
    assert code == 0, printed
    assert "Center" in printed
    report = EvaluationReport.model_validate_json((tmp_path / "out" / "pointing.json").read_text())
    assert report.tables[0].rows[0][1] == 0.5
    assert report.settings["areas"] == [0.1, 0.2]
    assert (tmp_path / "out" / "pointing" / "center-0.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name one data set"),
        (["--voc", "x", "--boxes", "y", "--box-images", "z"], "name one data set"),
        (["--boxes", "y"], "belong together"),
        (["--coco-images", "x"], "give --coco-annotations for each"),
        (["--voc", "x"], "VOCdevkit/VOC2007"),
    ],
)
def test_the_command_says_which_data_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, printed = evaluate(*arguments)
    assert code == 2
    assert said in printed
