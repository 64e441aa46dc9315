"""Methods on items: stopped and gone on with, added to, with several seeds, refused, watched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from torch import Tensor, nn

from ep_core.errors import InvalidInput
from ep_core.evaluation.data.annotations import Scene
from ep_core.evaluation.pointing import pointing
from ep_core.methods.base.method import AttributionRequest, Method, MethodUnavailable
from ep_core.models import Classifier, Preprocessing
from ep_core.schemas.specs import CompareSpec

from .conftest import CLASSES, SIDE, peaks, pictures, play, rows, square


def counted(method: Method, calls: list[tuple[int, ...]]) -> Method:
    def attribute(request: AttributionRequest) -> Tensor:
        calls.append(request.targets)
        return method.attribute(request)

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
    def attribute(request: AttributionRequest) -> Tensor:
        point = (9, 9) if request.spec.seed == 7 else (40, 40)
        return peaks(point).attribute(request)

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
    def refuse(_: AttributionRequest) -> Tensor:
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
    assert rows(report.tables[2])["red"] == {"Class": "red", "Pairs": 1, "missing": None, "Picky": None, "Peaks": 1}


def test_the_network_is_frozen_while_asked_and_left_as_it_was(scene: Callable[..., Scene]) -> None:
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(), nn.Linear(3, 3)).train()
    model = Classifier(network, preprocessing=Preprocessing((SIDE, SIDE)))

    def attribute(request: AttributionRequest) -> Tensor:
        assert not any(module.training for module in request.network.modules())
        assert not any(parameter.requires_grad for parameter in request.network.parameters())
        return peaks((9, 9)).attribute(request)

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
