"""Pool: lanes of any solvers that share a network, a frame and a rule, stepped in common batches.

A lane claims a row of the rule's state when it comes, and gives it back when it leaves; so does an image its place
among the images. What a step works on keeps its place in memory, so that a GPU's graph of a step belongs to the size of
a batch, not to its lanes.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace

import torch

from ep_core.masks.masked_images import MaskedScores
from ep_core.models.runtime.cuda_graph import Repeated
from ep_core.optimiser.presets.rule import Batch

from .lanes import Lane, Objective, layout
from .solver import Solver

Member = tuple[Solver, int]
"""A lane: its solver, and its index there."""


def pool_key(solver: Solver) -> Hashable:
    """Return what solvers share that share a pool; where scores are not `MaskedScores`, a solver has one of its own."""
    scores = solver.scores
    if not isinstance(scores, MaskedScores):
        return id(solver)
    return id(scores.network), scores.images.kind, solver.rule.kind


@dataclass(frozen=True)
class _Guest:
    """A solver in a pool."""

    rows: list[int]
    """Of its lanes."""
    places: dict[int, int]
    """Of its images, by their index."""


@dataclass
class _Step:
    """A step of a batch of one size and layout."""

    batch: Batch
    lanes: Sequence[Lane]
    """Those of the objective: a row that was given back may be another lane's by now."""
    objective: Objective
    repeated: Repeated


@dataclass
class _Free:
    """Numbers that nobody has claimed."""

    count: int
    """How many there are, claimed ones included."""
    free: list[int] = field(default_factory=list)

    def claim(self, count: int) -> list[int]:
        """Return the smallest free numbers; there must be enough."""
        self.free.sort()
        claimed, self.free = self.free[:count], self.free[count:]
        return claimed

    def grow(self, missing: int) -> int:
        """Add at least so many numbers, and as many as there are; return how many there are then."""
        count = self.count + max(missing, self.count)
        self.free += range(self.count, count)
        self.count = count
        return count


class Pool:
    """State of the lanes that are in, and the steps of their batches."""

    def __init__(self, solver: Solver, *, shared: bool) -> None:
        """Let in a first solver.

        Args:
            solver: whose kind others must be of (`pool_key`).
            shared: whether others will come. Else the solver's state and images are worked on where they are.
        """
        self.rule = solver.rule
        self.scores = solver.scores
        self.max_lanes = solver.max_lanes
        self._shared = shared
        self._rows, self._places = _Free(len(solver.lanes)), _Free(self._images)
        self._steps: dict[Hashable, _Step] = {}
        self.guests: dict[Solver, _Guest] = {}
        if shared:
            self._make_room(rows=max(1, self.max_lanes - self._rows.count), places=0)  # never the solver's own state
        own = {lane.image: lane.image for lane in solver.lanes}
        self.guests[solver] = _Guest(list(range(len(solver.lanes))), own)

    @property
    def _images(self) -> int:
        return self.scores.images.count if isinstance(self.scores, MaskedScores) else 0

    def admit(self, solver: Solver) -> None:
        """Let another solver in, with its state as it is."""
        images = sorted({lane.image for lane in solver.lanes})
        self._make_room(
            rows=len(solver.lanes) - len(self._rows.free),
            places=len(images) - len(self._places.free),
        )
        guest = _Guest(
            self._rows.claim(len(solver.lanes)), dict(zip(images, self._places.claim(len(images)), strict=True))
        )
        self.rule.take(solver.rule, range(len(solver.lanes)), guest.rows)
        if isinstance(self.scores, MaskedScores) and isinstance(solver.scores, MaskedScores):
            for image, place in guest.places.items():
                self.scores.images.put(place, solver.scores.images, image)
        self.guests[solver] = guest

    def show(self, solver: Solver) -> None:
        """Give a solver the state of its lanes as it is now."""
        if solver.rule is not self.rule:
            solver.rule.take(self.rule, self.guests[solver].rows, range(len(solver.lanes)))

    def dismiss(self, solver: Solver) -> None:
        """Let a solver go, with the state of its lanes as it is now."""
        self.show(solver)
        guest = self.guests.pop(solver)
        self._rows.free += guest.rows
        self._places.free += guest.places.values()

    def step(self, members: Sequence[Member]) -> None:
        """Advance some lanes by one step, in one batch; nothing has changed where it raises."""
        rows = [self.guests[solver].rows[k] for solver, k in members]
        lanes = [self._lane(solver, k) for solver, k in members]
        key = len(lanes), layout(lanes), self.rule.baked(rows)
        step = self._steps.get(key)
        if step is None:
            step = self._steps[key] = self._new(rows, lanes, min(solver.left(k) for solver, k in members))
        elif list(step.batch.rows) != rows or step.lanes != lanes:
            step.batch.rows, step.lanes = rows, lanes
            step.batch.index.copy_(torch.tensor(rows))
            step.objective.turn_to(lanes)
        with torch.enable_grad():
            step.repeated()

    def forget_steps(self) -> None:
        """Drop the graphs of all steps, and the memory that they hold."""
        self._steps.clear()

    def values(self, members: Sequence[Member]) -> list[float]:
        """Return the objectives of lanes before their last step."""
        rows = [self.guests[solver].rows[k] for solver, k in members]
        values: list[float] = self.rule.values[rows].tolist()
        return values

    def _lane(self, solver: Solver, k: int) -> Lane:
        """Return a lane with the place of its image."""
        lane = solver.lanes[k]
        place = self.guests[solver].places[lane.image]
        return lane if place == lane.image else replace(lane, image=place)

    def _new(self, rows: list[int], lanes: Sequence[Lane], left: int) -> _Step:
        device = self.rule.device
        objective = Objective(self.scores, lanes, device)
        batch = Batch(rows, torch.tensor(rows, device=device), objective)
        rule = self.rule
        repeated = Repeated(lambda: rule.step(batch), device, times=None if self._shared else left)
        return _Step(batch, lanes, objective, repeated)

    def _make_room(self, *, rows: int, places: int) -> None:
        """Make room for so many more lanes and images, where that is above 0."""
        if rows <= 0 and places <= 0:
            return
        self.forget_steps()
        if rows > 0:
            self.rule = self.rule.with_room(self._rows.grow(rows))
        if places > 0 and isinstance(self.scores, MaskedScores):
            room = self.scores.images.with_room(self._places.grow(places))
            self.scores = MaskedScores(self.scores.network, room)
