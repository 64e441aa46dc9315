"""Stability: overlap, shift and rank correlation by hand, and the equality of optimal areas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ep_core import Classifier, ExtremalSpec, Preprocessing
from ep_core.errors import InvalidInput
from ep_core.evaluation.data.items import settings_of, subjects
from ep_core.evaluation.data.variations import agreement, fading_to_the_mean, reencoded, shifted, variations
from ep_core.evaluation.reporting.report import Cell, Table
from ep_core.evaluation.run import ItemLog, Record
from ep_core.evaluation.stability import stability
from ep_core.extremal.preparation import prepare_image

from .test_monotonicity import photographs

AREAS = (0.1, 0.3)
KINDS = ("other seeds", "JPEG, quality 85", "moved by 3 pixels", "fade to black", "fade to the mean")


def rows(table: Table) -> dict[str, dict[str, Cell]]:
    return {str(row[0]): dict(zip(table.columns, row, strict=True)) for row in table.rows}


def test_masks_agree_above_a_half_and_sums_by_rank() -> None:
    first = torch.tensor([[0.9, 0.6, 0.4, 0.0], [1.0, 1.0, 0.7, 0.1]]).view(2, 1, 2, 2)
    other = torch.tensor([[0.9, 0.5, 0.6, 0.0], [0.8, 0.9, 0.6, 0.2]]).view(2, 1, 2, 2)
    overlaps, correlation = agreement(first, other)
    assert overlaps == [1 / 3, 1]  # 0.5 isn't above a half
    # Sums 1.9 1.6 1.1 0.1 and 1.7 1.4 1.2 0.2: the same order.
    assert correlation == pytest.approx(1)
    two, swapped = (torch.tensor(values).view(1, 1, 2, 2) for values in ([0.1, 0.2, 0.3, 0.4], [0.2, 0.1, 0.3, 0.4]))
    assert agreement(two, swapped)[1] == pytest.approx(1 - 6 * 2 / (4 * 15))


def test_a_moved_mask_is_moved_back() -> None:
    masks = torch.rand(2, 1, 20, 24, generator=torch.Generator().manual_seed(0))
    moved = shifted(masks, 3)
    assert moved.shape == masks.shape
    for row, column in ((3, 3), (19, 23), (10, 4)):
        assert moved[1, 0, row, column] == masks[1, 0, row - 3, column - 3]
    assert moved[0, 0, 1, 9] == masks[0, 0, 0, 6]  # the border repeated
    assert moved[0, 0, 2, 0] == masks[0, 0, 0, 0]
    overlaps, correlation = agreement(masks, moved, shift=3)
    assert overlaps == [1, 1]
    assert correlation == pytest.approx(1)
    assert agreement(masks, moved)[1] < 0.5


def test_fades_end_in_black_and_in_the_mean_colour(spot_model: Classifier, tmp_path: Path) -> None:
    model = Classifier(
        spot_model.network,
        preprocessing=Preprocessing(input_size=(168, 168), mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3)),
    )
    (subject,) = subjects(photographs(tmp_path, 1))
    x = subject.network_input(model, "crop")
    asked = {one.kind: one for one in variations(model, subject, x, ExtremalSpec(target=0), [7, 8])}
    assert asked["seed"].spec.seed == 8
    ends = {}
    for kind in ("fade to black", "fade to the mean"):
        one = asked[kind]
        ends[kind] = prepare_image(one.model, one.model.network, one.x, one.spec, 0).pyramid[-1]
        assert torch.equal(one.x, x)
    black = torch.tensor([-2.0, -2.0, -2.0]).view(3, 1, 1).expand(3, 168, 168)
    assert torch.allclose(ends["fade to black"], black)
    assert not ends["fade to the mean"].any()
    assert fading_to_the_mean(model).weights_digest == model.weights_digest


def test_a_photograph_is_encoded_anew(mobilenet: Classifier) -> None:
    goose = Path(__file__).parents[4] / "samples" / "goose.jpg"
    picture = Image.open(goose)
    again = np.asarray(reencoded(picture)).astype(float)
    assert again.shape == np.asarray(picture).shape
    error = np.abs(again - np.asarray(picture)).mean()
    assert 0.1 < error < 6  # of 255


def test_figures_by_hand(spot_model: Classifier, tmp_path: Path) -> None:
    paths, out = photographs(tmp_path, 2), tmp_path / "out"
    spec = ExtremalSpec(areas=AREAS)
    asked = {"seeds": [0, 1, 2], "check_extremality": True, "jpeg_quality": 85, "shift": 3}
    log = ItemLog(out / "stability" / "fast.jsonl", settings_of(spot_model, spec, **asked))
    for subject, optimal in zip(subjects(paths), (0.1, None), strict=True):
        log.add(subject.key, record(optimal))
    report = stability(spot_model, paths, spec, ["fast"], seeds=(0, 1, 2), out=out)
    kinds, by_seed = report.tables
    assert tuple(rows(kinds)) == KINDS
    assert rows(kinds)["other seeds"] == {
        "Kind": "other seeds",
        "IoU 0.1": pytest.approx((0.2 + 0.4) / 2),
        "IoU 0.3": pytest.approx((0.6 + 0.8) / 2),
        "Rank correlation": pytest.approx(0.5),
        "Same a* (%)": 50,  # of the first photograph one seed says 0.3
        "Seconds": pytest.approx(3),
    }
    assert rows(kinds)["moved by 3 pixels"]["Same a* (%)"] == 100
    assert [row[2:] for row in by_seed.rows] == [[0.1, 0.1, 0.3], [None, None, None]]
    assert report.seconds == 2 * (1 + 2 + 4 + 4 * 1)


def record(optimal: float | None) -> Record:
    """A photograph whose third seed says 0.3, unless no area is reached at all."""
    others = [
        {"kind": kind, "seed": 0, "optimal_area": optimal, "seconds": 1, "iou": [1, 1], "correlation": 1}
        for kind in ("jpeg", "shift", "fade to black", "fade to the mean")
    ]
    last = None if optimal is None else 0.3
    seeds = [
        {"kind": "seed", "seed": 1, "optimal_area": optimal, "seconds": 2, "iou": [0.2, 0.6], "correlation": 0.4},
        {"kind": "seed", "seed": 2, "optimal_area": last, "seconds": 4, "iou": [0.4, 0.8], "correlation": 0.6},
    ]
    return {"label": "", "first": {"seed": 0, "optimal_area": optimal, "seconds": 1}, "runs": seeds + others}


@pytest.mark.slow
def test_a_network_that_sees_one_spot_answers_alike_and_a_second_run_does_nothing(
    spot_model: Classifier, tmp_path: Path
) -> None:
    paths, out = photographs(tmp_path, 1), tmp_path / "out"
    spec = ExtremalSpec(areas=(0.1,), iterations=3)
    first = stability(spot_model, paths, spec, ["fast"], seeds=(3, 4), out=out)
    found = rows(first.tables[0])
    # The spot is 8% of the image: a mask of 10% covers it, whatever is asked.
    assert all(float(row["IoU 0.1"] or 0) > 0.6 for row in found.values())
    assert first.settings["seeds"] == [3, 4]
    log = (out / "stability" / "fast.jsonl").read_bytes()
    assert stability(spot_model, paths, spec, ["fast"], seeds=(3, 4), out=out) == first
    assert (out / "stability" / "fast.jsonl").read_bytes() == log


@pytest.mark.parametrize("seeds", [(0,), (1, 1), (0, -1)])
def test_seeds_must_be_several_and_different(spot_model: Classifier, tmp_path: Path, seeds: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInput, match="seeds must be two at least"):
        stability(spot_model, photographs(tmp_path, 1), ExtremalSpec(), ["fast"], seeds=seeds, out=tmp_path / "out")
