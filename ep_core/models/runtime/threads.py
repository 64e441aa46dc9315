"""Wait policy of torch's threads. Imports no torch: the policy must be set before torch is loaded."""

from __future__ import annotations

import os

SPINS = 5000  # some ten microseconds


def spin_briefly() -> None:
    """Let waiting threads spin for a moment before they sleep, unless the environment sets their wait policy.

    Waking a sleeping thread takes as long as an operation on a mask: threads that sleep at once made smooth masks three
    times slower. Threads that spin on, as they do by default, make each other slow as soon as anything else wants a
    core.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(SPINS))
