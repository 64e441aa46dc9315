"""Half precision, CUDA graphs and memory on a GPU. Skipped where there is none."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from PIL import Image

from ep_core import ExtremalSpec, InvalidInput, explain, explain_batch
from ep_core.evaluation.similarity import rank_correlation
from ep_core.methods.base.method import AttributionRequest, MethodUnavailable
from ep_core.methods.base.registry import get_method
from ep_core.models import Classifier, load_model
from ep_core.models.runtime.cuda_graph import Repeated
from ep_core.models.tuning.tune import HalfPrecision, tune
from ep_core.schemas.specs import METHODS, CompareSpec, Preset

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")

BEAR = 295
Sample = Callable[[str], Image.Image]


@pytest.fixture(scope="module")
def on_gpu() -> Classifier:
    """The default network on the GPU."""
    return load_model("mobilenet_v2", device="cuda")


@pytest.fixture
def captured(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each step that was to be captured: whether it was."""
    seen: list[bool] = []
    capture = Repeated._capture

    def watched(repeated: Repeated) -> None:
        capture(repeated)
        seen.append(repeated._graph is not None)

    monkeypatch.setattr(Repeated, "_capture", watched)
    return seen


def test_scores_are_those_of_the_cpu(mobilenet: Classifier, on_gpu: Classifier, sample: Sample) -> None:
    """In float32, not rounded to TensorFloat32."""
    found = []
    for model in (on_gpu, mobilenet):
        x, _ = model.preprocess(sample("goose"))
        with model.frozen() as network, torch.no_grad():
            found.append(network(x).cpu())
    assert (found[0] - found[1]).abs().max() < 1e-4 * found[1].abs().max()


def test_tuned_network_scores_in_half_precision_as_the_network_does(on_gpu: Classifier, sample: Sample) -> None:
    x = torch.cat([on_gpu.preprocess(sample(name))[0] for name in ("goose", "black_bear", "pizza")])
    with on_gpu.frozen() as network, torch.no_grad():
        tuned = tune(network, x)
        expected = network(x)
        found = tuned(x)
    assert isinstance(tuned, HalfPrecision)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in tuned.modules())
    assert (found - expected).abs().max() < 0.03 * expected.abs().max()


@pytest.mark.parametrize("preset", ["fast", "paper"])
def test_steps_are_replayed_and_end_where_steps_one_by_one_end(
    preset: Preset, on_gpu: Classifier, sample: Sample, captured: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = ExtremalSpec(areas=(0.1, 0.3), iterations=60, preset=preset, target=BEAR, check_extremality=False)
    replayed = explain(on_gpu, sample("black_bear"), spec)
    assert captured
    assert all(captured)
    monkeypatch.setattr("ep_core.models.runtime.cuda_graph.PAYS_FROM", 10**9)
    one_by_one = explain(on_gpu, sample("black_bear"), spec)
    for ours, theirs in zip(replayed.curve, one_by_one.curve, strict=True):
        assert ours.measured_area == pytest.approx(theirs.measured_area, abs=0.02)
        assert ours.preserve == pytest.approx(theirs.preserve, rel=0.25)


def test_masks_are_as_good_as_a_cpu_s(mobilenet: Classifier, on_gpu: Classifier, sample: Sample) -> None:
    """Two optimisations in other last bits end apart; by how much, is chance."""
    spec = ExtremalSpec(areas=(0.1, 0.3, 0.6), target=BEAR, check_extremality=False)
    ours, theirs = (explain(model, sample("black_bear"), spec) for model in (on_gpu, mobilenet))
    assert ours.masks.device.type == "cpu"
    assert ours.scores.original == pytest.approx(theirs.scores.original, rel=1e-3)
    for point, expected in zip(ours.curve, theirs.curve, strict=True):
        assert point.measured_area == pytest.approx(point.area, abs=1e-3)
        assert point.preserve > 0.75 * expected.preserve


def test_many_images_share_the_batches(on_gpu: Classifier, sample: Sample) -> None:
    names = ("goose", "black_bear", "pizza") * 8
    spec = ExtremalSpec(areas=(0.1, 0.3), iterations=20)
    results = explain_batch(on_gpu, [sample(name) for name in names], spec, max_lanes=16)
    assert [result.target.label for result in results[:3]] == ["goose", "American black bear", "pizza"]
    assert all(p.measured_area == pytest.approx(p.area, abs=1e-3) for result in results for p in result.curve)


def test_memory_that_runs_out_halves_the_batch(
    on_gpu: Classifier, sample: Sample, caplog: pytest.LogCaptureFixture
) -> None:
    """Two dozen lanes of mobilenet_v2 take about a gigabyte."""
    spec = ExtremalSpec(areas=tuple(k / 40 for k in range(4, 28)), iterations=20, preset="paper")
    torch.cuda.empty_cache()
    total = torch.cuda.mem_get_info()[1]
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + 0.5e9) / total)
    try:
        result = explain(on_gpu, sample("goose"), spec, max_lanes=32)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert "out of memory" in caplog.text
    assert len(result.curve) == 24


@pytest.mark.parametrize("name", [name for name in METHODS if not name.startswith("attention")])
def test_maps_are_those_of_the_cpu(name: str, mobilenet: Classifier, on_gpu: Classifier, sample: Sample) -> None:
    """Half precision leaves a map what it is: the two agree in their ranks.

    Extremal masks of a few steps end where roundings take them, as they do with another seed: those of two seeds on a
    CPU agree by 0.46 to 0.65. A greedy search takes another region where two are worth the same but for roundings.
    """
    spec = CompareSpec(samples=400, areas=(0.1, 0.3), iterations=60)
    maps = []
    for model in (on_gpu, mobilenet):
        x, _ = model.preprocess(sample("black_bear"))
        with model.frozen():
            try:
                maps.append(
                    get_method(name).attribute(AttributionRequest(model, x, (BEAR, 207), spec)).detach().cpu().double()
                )
            except MethodUnavailable as error:
                pytest.skip(str(error))
    ours, theirs = maps
    assert ours.isfinite().all()
    least = 0.2 if name == "extremal" else 0.5 if get_method(name).random or name == "greedy_superpixels" else 0.98
    for one, other in zip(ours, theirs, strict=True):
        assert rank_correlation(one.numpy(), other.numpy()) > least


def test_threads_with_networks_of_their_own_take_turns(captured: list[bool], sample: Sample) -> None:
    """A graph that is captured would break at what another thread asks of the driver."""
    models = [load_model("mobilenet_v2", device="cuda") for _ in range(2)]
    spec = ExtremalSpec(areas=(0.1, 0.3), preset="paper", iterations=40)
    alone = [point.preserve for point in explain(models[0], sample("goose"), spec).curve]
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda model: explain(model, sample("goose"), spec), models))
    assert all(captured)
    for one in found:
        assert [point.preserve for point in one.curve] == pytest.approx(alone, rel=0.05)


def test_a_network_on_several_devices_is_refused() -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Linear(4, 2).cuda())
    with pytest.raises(InvalidInput, match=r"on several devices \(cpu, cuda:0\): move them to one"):
        Classifier(network)
