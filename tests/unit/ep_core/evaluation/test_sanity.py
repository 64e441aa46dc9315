"""Randomised networks, similarity of maps, and the sanity check."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from ep_core.evaluation.cascade import Stage, cascade, stages
from ep_core.evaluation.sanity import sanity
from ep_core.evaluation.similarity import rank_correlation, structural_similarity
from ep_core.models import Classifier
from ep_core.schemas.specs import CompareSpec

SAMPLES = Path(__file__).parents[4] / "samples"
X = torch.rand(1, 3, 12, 12, generator=torch.Generator().manual_seed(0))


class Network(nn.Module):
    """Network whose modules are named in another order than they are computed in; one isn't computed at all."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(8, 5)
        self.unused = nn.Linear(8, 5)
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3))
        self.body[1].weight.data = torch.linspace(1, 2, 8)
        self.body[1].bias.data = torch.linspace(0, 1, 8)
        self.scale = nn.Parameter(torch.linspace(1, 2, 8)[:, None, None])

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head((self.body(x) * self.scale).mean(dim=(2, 3)))
        return scores


@pytest.fixture
def network() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(7)
        return Network().eval()


def test_stages_go_from_the_last_computed_to_the_first(network: nn.Module) -> None:
    assert stages(network, X) == [
        Stage("head", ("head",)),
        Stage("body.3", ("body.3",)),
        Stage("body.1", ("body.1",)),
        Stage("body.0", ("body.0",)),
        Stage("", ("",)),  # its own parameter
    ]


def test_stages_of_the_default_network(mobilenet: Classifier) -> None:
    with mobilenet.frozen() as network:
        found = stages(network, torch.zeros(1, 3, 224, 224))
    assert [stage.name for stage in found] == ["classifier.1", *(f"features.{k}" for k in range(18, -1, -1))]
    assert {name for stage in found for name in stage.modules} == {
        name for name, module in mobilenet.network.named_modules() if list(module.parameters(recurse=False))
    }


def test_each_stage_changes_its_own_modules_and_no_others(network: nn.Module) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    drawn: set[str] = set()
    for stage, randomised in cascade(network, stages(network, X), X, seed=0):
        drawn |= set(stage.modules)
        for name, value in randomised.named_parameters():
            redrawn = name.rpartition(".")[0] in drawn
            assert torch.equal(value, before[name]) != redrawn, name
        assert not randomised.training
    assert drawn == {"head", "body.3", "body.1", "body.0", ""}
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not network.training


def test_the_seed_alone_draws_the_weights(network: nn.Module) -> None:
    def last(seed: int) -> Tensor:
        *_, (_, randomised) = cascade(network, stages(network, X), X, seed=seed)
        return torch.cat([value.flatten() for value in randomised.parameters()])

    state = torch.random.get_rng_state()
    once = last(0)
    torch.rand(3)
    assert torch.equal(once, last(0))
    assert not torch.equal(once, last(1))
    torch.random.set_rng_state(state)
    last(0)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_weights_keep_their_mean_and_deviation_and_nothing_else(mobilenet: Classifier) -> None:
    x = torch.zeros(1, 3, 64, 64)
    with mobilenet.frozen() as network:
        ((_, randomised),) = cascade(network, stages(network, x)[:1], x, seed=0)
        trained, drawn = (one.classifier[1].weight.detach() for one in (network, randomised))  # type: ignore[index]
    assert drawn.mean() == pytest.approx(float(trained.mean()), abs=1e-4)
    assert drawn.std() == pytest.approx(float(trained.std()), rel=0.01)
    assert abs(np.corrcoef(trained.flatten(), drawn.flatten())[0, 1]) < 0.01


def test_batch_norm_takes_its_statistics_from_the_image(network: nn.Module) -> None:
    *_, (_, randomised) = cascade(network, stages(network, X), X, seed=0)
    convolution, norm = randomised.body[0], randomised.body[1]  # type: ignore[index]
    with torch.no_grad():
        before = convolution(torch.cat([X, X.flip(3)]))
    assert torch.allclose(norm.running_mean, before.mean(dim=(0, 2, 3)), atol=1e-6)
    assert torch.allclose(norm.running_var, before.var(dim=(0, 2, 3)), atol=1e-6)
    assert norm.momentum == 0.1


def test_scores_of_the_randomised_default_network_still_hang_on_the_image(
    mobilenet: Classifier, sample: Callable[[str], Image.Image]
) -> None:
    goose, pizza = (mobilenet.preprocess(sample(name))[0] for name in ("goose", "pizza"))
    with mobilenet.frozen() as network, torch.no_grad():
        *_, (_, randomised) = cascade(network, stages(network, goose), goose, seed=0)
        apart = (randomised(goose) - randomised(pizza)).std()
    assert apart > 0.1


def test_rank_correlation_by_hand() -> None:
    one = np.array([[1.0, 2], [3, 4]])
    assert rank_correlation(one, one**3) == pytest.approx(1)
    assert rank_correlation(one, -one) == pytest.approx(-1)
    assert rank_correlation(one, np.array([[1.0, 3], [2, 4]])) == pytest.approx(1 - 6 * 2 / (4 * 15))
    assert rank_correlation(one, np.zeros((2, 2))) == 0
    assert rank_correlation(np.ones((2, 2)), np.zeros((2, 2))) == 1


def test_structural_similarity_looks_at_scaled_maps() -> None:
    generator = np.random.default_rng(0)
    one = generator.random((20, 20))
    assert structural_similarity(one, 5 * one - 3) == pytest.approx(1)
    assert structural_similarity(one, generator.random((20, 20))) < 0.3
    assert np.isfinite(structural_similarity(one, np.zeros((20, 20))))


def test_maps_that_ignore_the_network_stay_and_others_change(mobilenet: Classifier, tmp_path: Path) -> None:
    spec = CompareSpec(methods=("center", "gradient"))
    report = sanity(mobilenet, [SAMPLES / "goose.jpg"], spec, out=tmp_path, depths=2)
    for table in report.tables:
        assert table.columns == ["Method", "classifier.1", "features.0"]
        center, gradient = table.rows
        assert center[1:] == [pytest.approx(1)] * 2
        assert all(isinstance(value, float) and value < 0.7 for value in gradient[1:])
    plot, picture = (tmp_path / figure.file for figure in report.figures)
    assert plot.suffix == ".svg"
    with Image.open(picture) as maps:
        assert maps.width > 3 * 112  # trained, and two depths
        assert maps.height > 2 * 112


def test_a_second_run_draws_the_same_from_the_log(spot_model: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "noise.png"
    noise = np.random.default_rng(0).integers(0, 256, (168, 168, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    spec, out = CompareSpec(methods=("gradient",)), tmp_path / "out"
    first = sanity(spot_model, [path], spec, out=out)
    files = {file: file.read_bytes() for file in (out / "sanity").iterdir()}
    assert sanity(spot_model, [path], spec, out=out) == first
    (strip,) = (file for file in files if file.name.endswith("-gradient-0.png"))
    strip.unlink()
    assert sanity(spot_model, [path], spec, out=out) == first
    assert {file: file.read_bytes() for file in (out / "sanity").iterdir()} == files
