"""Choice of the lanes that are stepped next, and the rows that they lie in."""

from __future__ import annotations

import threading
import time

import pytest
import torch
from torch import Tensor, nn

from ep_core.extremal.masking import spatial_solver
from ep_core.masks.perturbation import Pyramids, fade_pyramid
from ep_core.models.runtime.turns import one_thread
from ep_core.optimiser.lanes import Lane
from ep_core.optimiser.pool import Pool
from ep_core.optimiser.resident import Resident
from ep_core.optimiser.scheduler import Scheduler
from ep_core.optimiser.solver import Solver

SIDE = 64
MOST = 4


class Means(nn.Module):
    """Scores of an image: the means of its channels."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, images: Tensor) -> Tensor:
        return self.scale * images.mean(dim=3).mean(dim=2)


@pytest.fixture
def network() -> nn.Module:
    return Means()


def solver(network: nn.Module, lanes: int, *, steps: int = 8, seed: int = 0, target: int = 0) -> Solver:
    image = torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))
    pyramids = Pyramids(fade_pyramid(image, black=torch.zeros(3, 1, 1))[None])
    asked = [Lane(0, (target + k) % 3, 0.1 + 0.1 * k, "preserve", end=steps, arrival=steps - 1) for k in range(lanes)]
    return spatial_solver(network, pyramids, asked, "paper", max_lanes=MOST)


def run(scheduler: Scheduler, *solvers: Solver) -> list[int]:
    """Step until all are done; return the steps after which each of them was."""
    ended: dict[Solver, int] = {}
    for step in range(1, 200):
        scheduler.step()
        for one in solvers:
            if one not in ended and not one.unfinished():
                ended[one] = step
                scheduler.dismiss(one)
        if len(ended) == len(solvers):
            return [ended[one] for one in solvers]
    raise AssertionError("lanes that never end")


def test_a_newcomer_is_in_the_next_batch(network: nn.Module) -> None:
    scheduler = Scheduler(shared=True)
    long = solver(network, 8, steps=50)
    scheduler.admit(long)
    for _ in range(9):
        scheduler.step()
    newcomer = solver(network, 2, seed=1)
    scheduler.admit(newcomer)
    scheduler.step()
    assert newcomer.taken == [1, 1]


def test_a_small_solver_is_done_soon_beside_large_ones(network: nn.Module) -> None:
    """Of three, it gets its lanes stepped as often as the others get as many of theirs."""
    scheduler = Scheduler(shared=True)
    large, other = solver(network, 8, steps=20), solver(network, 8, steps=20, seed=1)
    scheduler.admit(large)
    scheduler.admit(other)
    for _ in range(4):
        scheduler.step()
    small = solver(network, 1, steps=20, seed=2)
    scheduler.admit(small)
    ends = run(scheduler, large, other, small)
    assert ends[2] <= 24  # a third of a batch is its own, and it needs a quarter
    assert min(ends[:2]) > 60


def test_solvers_get_equal_shares(network: nn.Module) -> None:
    scheduler = Scheduler(shared=True)
    one, other = solver(network, 8, steps=20), solver(network, 8, steps=20, seed=1)
    scheduler.admit(one)
    scheduler.admit(other)
    for _ in range(40):
        scheduler.step()
    assert abs(one.done - other.done) <= MOST
    assert one.done + other.done == 40 * MOST


def test_lanes_of_a_solver_advance_evenly(network: nn.Module) -> None:
    scheduler = Scheduler(shared=False)
    lone = solver(network, 7, steps=20)
    scheduler.admit(lone)
    for _ in range(11):
        scheduler.step()
        assert max(lone.taken) - min(lone.taken) <= 1


def test_rows_and_places_are_given_back(network: nn.Module) -> None:
    first = solver(network, 2, steps=3)
    pool = Pool(first, shared=True)
    sizes = set()
    for seed in range(2, 20):
        guest = solver(network, 3, steps=3, seed=seed)
        before = guest.rule.masks([0, 1, 2])
        pool.admit(guest)
        pool.dismiss(guest)
        assert torch.equal(guest.rule.masks([0, 1, 2]), before)
        sizes.add((len(pool.rule.taken), pool.scores.images.count))  # type: ignore[attr-defined]
    assert sizes == {(8, 2)}


def test_pools_take_turns(network: nn.Module) -> None:
    scheduler = Scheduler(shared=True)
    here, there = solver(network, 4, steps=6), solver(Means(), 4, steps=6)
    scheduler.admit(here)
    scheduler.admit(there)
    run(scheduler, here, there)
    assert (here.done, there.done) == (24, 24)


def test_while_another_thread_has_a_network_those_of_others_are_stepped(network: nn.Module) -> None:
    scheduler = Scheduler(shared=True)
    here, there = solver(network, 2), solver(Means(), 2)
    scheduler.admit(here)
    scheduler.admit(there)
    inside, leave = threading.Event(), threading.Event()

    def use() -> None:
        with one_thread(network):
            inside.set()
            leave.wait(60)

    user = threading.Thread(target=use)
    user.start()
    assert inside.wait(60)
    for _ in range(8):
        scheduler.step()
    leave.set()
    user.join(60)
    assert (here.done, there.done) == (0, 16)
    run(scheduler, here)
    assert here.done == 16


def test_lanes_of_any_variant_and_rival_share_a_pool(network: nn.Module) -> None:
    """A batch's rows are filled in place; each layout has a step of its own."""
    scheduler = Scheduler(shared=True)
    kinds = [("preserve", None), ("delete", None), ("hybrid", None), ("preserve", 2)]
    image = torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    found, alone = [], []
    for shared in (True, False):
        solvers = []
        for variant, against in kinds:
            pyramids = Pyramids(fade_pyramid(image, black=torch.zeros(3, 1, 1))[None])
            lane = Lane(0, 1, 0.2, variant, end=6, arrival=5, against=against)  # type: ignore[arg-type]
            solvers.append(spatial_solver(network, pyramids, [lane], "fast", max_lanes=MOST))
        if shared:
            for one in solvers:
                scheduler.admit(one)
            run(scheduler, *solvers)
            found = [one.image_masks(0) for one in solvers]
        else:
            for one in solvers:
                by_itself = Scheduler(shared=False)
                by_itself.admit(one)
                run(by_itself, one)
            alone = [one.image_masks(0) for one in solvers]
    assert all(torch.equal(one, other) for one, other in zip(found, alone, strict=True))


def test_a_row_that_is_claimed_again_is_the_new_lanes_alone(network: nn.Module) -> None:
    """The batches are as large before and after it, and of the same rows."""
    scheduler = Scheduler(shared=True)
    long, first, second = (
        solver(network, 1, steps=steps, seed=seed, target=seed) for seed, steps in enumerate((9, 3, 4))
    )
    scheduler.admit(long)
    scheduler.admit(first)
    run(scheduler, first)
    scheduler.admit(second)
    run(scheduler, second, long)
    for one, steps in ((second, 4), (long, 9)):
        seed = 2 if one is second else 0
        alone = solver(network, 1, steps=steps, seed=seed, target=seed)
        by_itself = Scheduler(shared=False)
        by_itself.admit(alone)
        run(by_itself, alone)
        assert torch.equal(one.image_masks(0), alone.image_masks(0))


def test_a_state_that_is_looked_at_stays_as_it_is_although_the_lanes_have_ended(network: nn.Module) -> None:
    with Resident() as resident:
        looking, steps = solver(network, 2, steps=5), []
        for _ in resident.run(looking):
            steps.append(looking.rule.taken.tolist())
            while looking.unfinished():  # its thread looks until the last step
                time.sleep(0.001)
            time.sleep(0.05)
            assert looking.rule.taken.tolist() == steps[-1]
        assert steps[0] != [5, 5]
        assert looking.rule.taken.tolist() == [5, 5]
        assert_ends(resident, solver(network, 1, steps=2))


def assert_ends(resident: Resident, one: Solver) -> None:
    assert list(resident.run(one))[-1] <= one.total
    assert not one.unfinished()


def test_an_error_ends_a_solver_whose_thread_looks_elsewhere(network: nn.Module) -> None:
    calls = []

    class Breaks(Means):
        def forward(self, images: Tensor) -> Tensor:
            calls.append(len(images))
            raise RuntimeError("always")

    with Resident() as resident:
        bad = resident.run(solver(Breaks(), 2))
        next(bad)
        time.sleep(0.05)
        assert len(calls) == 1  # it isn't stepped again
        with pytest.raises(RuntimeError, match="always"):
            list(bad)
