"""Running lanes: they leave early, memory is bounded, and a step asks nothing of the host."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from ep_core.extremal.masking import spatial_solver
from ep_core.masks.perturbation import Pyramids
from ep_core.masks.scores import masked_scores
from ep_core.models import Classifier
from ep_core.models.runtime.cuda_graph import Repeated
from ep_core.optimiser.lanes import Lane
from ep_core.optimiser.plateau import INTERVAL, PATIENCE, Plateau
from ep_core.optimiser.solver import Solver

CPU = torch.device("cpu")


def lanes(count: int, *, iterations: int = 12) -> list[Lane]:
    return [Lane(0, k % 2, 0.1 + 0.05 * k, "preserve", end=iterations, arrival=iterations // 2) for k in range(count)]


def finished(solver: Solver) -> Tensor:
    for _ in solver.run():
        pass
    return solver.image_masks(0)


class Scarce(nn.Module):
    """A network whose device has memory for so many images (a fake: memory can't be made to run out on demand)."""

    def __init__(self, network: nn.Module, images: int) -> None:
        super().__init__()
        self.network, self.images = network, images
        self.largest = 0

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > self.images:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        self.largest = max(self.largest, len(x))
        return self.network(x)


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["fast", "paper"])
def test_out_of_memory_halves_the_batch_and_loses_nothing(
    spot_model: Classifier, pyramids: Pyramids, preset: Any
) -> None:
    with spot_model.frozen() as network:
        plenty = finished(spatial_solver(network, pyramids, lanes(5, iterations=4), preset))
        scarce = Scarce(network, images=2)
        solver = spatial_solver(scarce, pyramids, lanes(5, iterations=4), preset)
        masks = finished(solver)
    assert scarce.largest == 2
    assert solver.max_lanes == 2
    assert solver.taken == [4] * 5
    torch.testing.assert_close(masks, plenty, atol=1e-4, rtol=0)


def test_out_of_memory_with_a_single_lane_is_an_error(spot_model: Classifier, pyramids: Pyramids) -> None:
    with spot_model.frozen() as network:
        solver = spatial_solver(Scarce(network, images=0), pyramids, lanes(3), "fast")
        with pytest.raises(torch.OutOfMemoryError):
            finished(solver)


@pytest.mark.slow
def test_scores_are_computed_in_halves_where_memory_runs_out(spot_model: Classifier) -> None:
    # In double precision: sums of 85 thousand products are added up otherwise for other batches.
    spot_model.network.double()
    images = torch.rand(1, 2, 3, *spot_model.input_size, generator=torch.Generator().manual_seed(0)).double()
    pyramids = Pyramids(images)
    masks = torch.linspace(0, 1, 7).double()[:, None, None, None].expand(-1, 1, *spot_model.input_size)
    with spot_model.frozen() as network:
        expected = masked_scores(partial(pyramids.scores, network), masks)
        scarce = Scarce(network, images=2)
        found = masked_scores(partial(pyramids.scores, scarce), masks)
        with pytest.raises(torch.OutOfMemoryError):
            masked_scores(partial(pyramids.scores, Scarce(network, images=0)), masks)
    assert scarce.largest == 2
    torch.testing.assert_close(found, expected)


def test_other_errors_pass_through(spot_model: Classifier, pyramids: Pyramids) -> None:
    class Broken(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise RuntimeError("shapes don't match")

    with pytest.raises(RuntimeError, match="shapes"):
        finished(spatial_solver(Broken(), pyramids, lanes(3), "fast"))


class Constant(nn.Module):
    """Scores every image the same: nothing to gain."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=(1, 2, 3))[:, None].expand(-1, 2) * 0 + 1


@pytest.mark.slow
def test_a_lane_on_a_plateau_leaves_the_batch(pyramids: Pyramids) -> None:
    solver = spatial_solver(Constant(), pyramids, lanes(2, iterations=80), "fast")
    finished(solver)
    assert solver.taken == [40 + INTERVAL * (PATIENCE + 1)] * 2
    assert solver.done == solver.total == 160
    assert solver.lane_steps(0) == sum(solver.taken)


def test_a_lane_that_gains_stays() -> None:
    plateau = Plateau([Lane(0, 0, 0.1, "preserve", end=100, arrival=10)])
    looks = [step for step in range(100) if plateau.wants(0, step)]
    assert looks == list(range(10 + INTERVAL, 100, INTERVAL))
    assert not any(plateau.reached(0, 1 + 0.01 * k) for k in range(20))
    assert [plateau.reached(0, 1.19) for _ in range(PATIENCE)] == [False] * (PATIENCE - 1) + [True]


def test_deletions_gain_by_falling_scores_alike() -> None:
    """Objectives of deletions are negative scores."""
    plateau = Plateau([Lane(0, 0, 0.1, "delete", end=100, arrival=10)])
    assert not any(plateau.reached(0, -10 + k) for k in range(9))


class Asked(TorchDispatchMode):
    """Records operations that make a device wait for the host, or the host for the device."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[str] = []

    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), options: Any = None) -> Any:
        self.operations.append(str(function))
        return function(*arguments, **(options or {}))


@pytest.mark.parametrize("preset", ["fast", "paper"])
def test_a_step_asks_nothing_of_the_host(spot_model: Classifier, pyramids: Pyramids, preset: Any) -> None:
    with spot_model.frozen() as network:
        solver = spatial_solver(network, pyramids, lanes(3), preset)
        solver.step([0, 1, 2])
        with Asked() as asked:
            solver.step([0, 1, 2])
    assert any("exp" in operation for operation in asked.operations)
    waiting = ("_local_scalar_dense", "nonzero", "lift_fresh", "masked_select")
    assert not [operation for operation in asked.operations if any(name in operation for name in waiting)]


def test_without_a_gpu_steps_are_taken_one_by_one() -> None:
    taken: list[int] = []
    step = Repeated(lambda: taken.append(1), CPU, times=100)
    for _ in range(20):
        step()
    assert len(taken) == 20
