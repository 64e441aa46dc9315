"""Early stopping of lanes whose objective has reached a plateau."""

from __future__ import annotations

from collections.abc import Sequence

from .lanes import Lane

INTERVAL = 4  # steps between two looks: each waits for the device
PATIENCE = 3  # looks in a row without a gain
LEAST_GAIN = 0.002  # from one look to the next, as a share of the value


class Plateau:
    """Detector of plateaus of the lanes that hold their area; its verdict on a lane depends on that lane alone."""

    def __init__(self, lanes: Sequence[Lane]) -> None:
        """Set the lanes."""
        self._lanes = lanes
        self._best = [float("-inf")] * len(lanes)
        self._idle = [0] * len(lanes)

    def wants(self, lane: int, taken: int) -> bool:
        """Return whether a lane's value is to be shown after so many steps."""
        held = taken - self._lanes[lane].arrival
        return held > 0 and held % INTERVAL == 0 and taken < self._lanes[lane].end

    def reached(self, lane: int, value: float) -> bool:
        """Return whether the lane may stop, now that its objective is `value`."""
        gained = value - self._best[lane] > LEAST_GAIN * abs(value)
        self._idle[lane] = 0 if gained else self._idle[lane] + 1
        self._best[lane] = max(self._best[lane], value)
        return self._idle[lane] >= PATIENCE
