"""Runner of one solver by itself, in the thread that asks for it."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from ep_core.models.tuning.tune import tune

from .scheduler import Scheduler
from .solver import Solver
from .work import Work


class Alone:
    """Runs each solver by itself; a `Runner`."""

    def __init__(self) -> None:
        """Start without a solver."""
        self.work = Work()

    def tune(self, network: nn.Module, example: Tensor) -> nn.Module:
        """Return a tuned copy of the network, of this sweep's own."""
        return tune(network, example)

    def run(self, solver: Solver) -> Iterator[int]:
        """Step all lanes to their ends, yielding `done` after each batch.

        Raises:
            Exception: what the network raises; where memory runs out, only once a single lane is too many.
        """
        scheduler = Scheduler(shared=False, work=self.work)
        scheduler.admit(solver)
        while solver.unfinished():
            scheduler.step()
            if solver in scheduler.errors:
                raise scheduler.errors[solver]
            yield solver.done
        scheduler.dismiss(solver)
