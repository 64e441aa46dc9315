"""Work of a runner: its steps, counted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Work:
    """Steps that have been taken."""

    batches: int = 0
    lanes: int = 0
    """Steps of lanes, of all batches together."""
    rows: int = 0
    """How many they could have been, had all batches been full."""
    wall_s: float = 0.0
    """Seconds that the batches took."""
    cpu_s: float = 0.0
    """CPU seconds of the process meanwhile: those of other threads, too, where they compute beside a step."""

    @contextmanager
    def counted(self, lanes: int, most: int) -> Iterator[None]:
        """Count a batch of lanes, of which there could have been `most`, and what it takes."""
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        yield
        self.batches += 1
        self.lanes += lanes
        self.rows += most
        self.wall_s += time.perf_counter() - wall_s
        self.cpu_s += time.process_time() - cpu_s

    def __sub__(self, earlier: Work) -> Work:
        """Return what has been done since an earlier state."""
        return Work(
            self.batches - earlier.batches,
            self.lanes - earlier.lanes,
            self.rows - earlier.rows,
            self.wall_s - earlier.wall_s,
            self.cpu_s - earlier.cpu_s,
        )
