"""The threshold of channels: deletions obey tau, negative scores have one, and where there is none a result says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from ep_core import ChannelsSpec, ClassChannelsSpec, Classifier, InvalidInput, class_channels, explain_channels
from ep_core.channels import folder
from ep_core.channels.class_channels import ClassExplanation
from ep_core.channels.folder import explain_folder
from ep_core.pictures import result_folder

RED = Image.new("RGB", (64, 48), (255, 0, 0))
BLACK = Image.new("RGB", (64, 48))
SPEC = ChannelsSpec(
    layer="bands", areas=(1, 2, 4, 8), target="lower"
)  # Phi(x) is 80 for red; a channel takes 32, 24, 16, 8
CLASS = ClassChannelsSpec(layer="bands", areas=(1, 2, 4), threshold=0.65, target="lower", invert=False)


def shifted(bands: Classifier, by: float) -> Classifier:
    """The same classifier, its scores raised."""
    bands.network.head.bias = torch.nn.Parameter(torch.full((2,), float(by)), requires_grad=False)
    return bands


@pytest.mark.parametrize(("tau", "threshold", "count"), [(0.4, 48, 1), (0.7, 24, 2), (1.0, 0, 4)])
def test_a_deletion_obeys_tau(bands: Classifier, tau: float, threshold: float, count: int) -> None:
    found = explain_channels(bands, RED, SPEC.model_copy(update={"variant": "delete", "threshold": tau}))
    assert found.scores.threshold == pytest.approx(threshold)
    assert (found.scores.threshold_rule, found.optimal_area) == ("way-down", count)


def test_a_negative_score_is_kept_by_a_share_of_the_way_to_it(bands: Classifier) -> None:
    found = explain_channels(shifted(bands, -100), RED, SPEC.model_copy(update={"threshold": 0.65}))
    assert (found.scores.original, found.scores.perturbed, found.scores.threshold) == pytest.approx((-20, -100, -48))
    assert (found.scores.threshold_rule, found.optimal_area, found.warnings) == ("between", 2, ())


def test_a_threshold_that_no_channel_is_needed_for_is_told(bands: Classifier) -> None:
    found = explain_channels(shifted(bands, 100), RED, SPEC.model_copy(update={"threshold": 0.5}))
    (warning,) = found.report().warnings
    assert "the image without the channels of bands scores 100 and reaches the threshold of 90" in warning.detail


def test_where_channels_raise_nothing_there_is_no_count(bands: Classifier) -> None:
    report = explain_channels(bands, BLACK, SPEC).report()
    assert (report.optimal_area, report.scores.threshold, report.scores.threshold_rule) == (None, None, "none")
    (warning,) = report.warnings
    assert "choose another target or layer" in warning.detail


def test_images_without_a_threshold_are_left_out_and_named(bands: Classifier) -> None:
    found = class_channels(bands, [RED, BLACK], CLASS, names=["red.png", ""])
    assert [one.threshold_rule for one in found.report().images] == ["share-of-original", "none"]
    assert [one.optimal_area for one in found.images] == [2, None]
    (warning,) = found.report().warnings
    assert warning.detail.startswith("image 1: the image without the channels of bands scores 0")


def test_a_class_without_any_threshold_is_refused_with_what_to_change(bands: Classifier) -> None:
    with pytest.raises(InvalidInput, match="choose another target or layer"):
        class_channels(bands, [BLACK], CLASS)


def test_what_is_kept_of_an_image_has_its_rule_and_warnings(
    bands: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "load_model", lambda *_, **__: bands)
    paths = [tmp_path / "red.png", tmp_path / "black.png"]
    for path, image in zip(paths, (RED, BLACK), strict=True):
        image.save(path)

    def run() -> ClassExplanation:
        return explain_folder(paths, tmp_path / "out", CLASS)

    first = run()
    monkeypatch.setattr("ep_core.channels.class_channels.attribute", None)  # what was kept is read
    again = run()
    assert [replace(one, mask=None, excitement=None) for one in again.images] == [
        replace(one, mask=None, excitement=None) for one in first.images
    ]
    assert again.warnings == first.warnings != ()


def test_what_an_earlier_version_kept_is_not_taken_for_this_one_s(
    bands: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deletion's count meant something else."""
    monkeypatch.setattr(folder, "load_model", lambda *_, **__: bands)
    RED.save(tmp_path / "red.png")
    for version in ("0", "1"):
        monkeypatch.setattr(result_folder, "__version__", version)
        explain_folder([tmp_path / "red.png"], tmp_path / "out", CLASS)
    assert len(list((tmp_path / "out" / "images").iterdir())) == 2
