"""Steps of chosen lanes, as many as a test wants."""

from __future__ import annotations

from collections.abc import Sequence

from ep_core.optimiser.alone import Alone
from ep_core.optimiser.pool import Pool
from ep_core.optimiser.solver import Solver


class Steps:
    """Steps lanes of one solver, wherever they stand."""

    def __init__(self, solver: Solver) -> None:
        self._solver = solver
        self._pool = Pool(solver, shared=False)

    def __call__(self, lanes: Sequence[int]) -> None:
        self._pool.step([(self._solver, k) for k in lanes])
        self._solver.stepped(lanes)


def run_to_the_end(solver: Solver) -> None:
    for _ in Alone().run(solver):
        pass
