"""Flags that torch and Python keep for the whole process, where several threads run networks.

Imports no torch.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

random_numbers = threading.RLock()
"""Held while torch's global random numbers are seeded or drawn: making a network draws, for weights not loaded yet.

Taken after the lock of a network (`models.turns`), where both are: methods draw while they have one.
"""

tracing = threading.RLock()
"""Held while torch.fx traces a network: it exchanges methods of `nn.Module` itself, and puts them back."""

_warnings = threading.RLock()


@contextmanager
def quietly() -> Iterator[None]:
    """Ignore Python's warnings meanwhile.

    The filters are the process's own. Of two threads that put them aside at once, the last one out would put back what
    the first had set; so one waits for the other.
    """
    with _warnings, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
