"""A step as a CUDA graph: hundreds of small kernels launched as one."""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch

from ep_core.models.runtime.memory import is_out_of_memory

EAGER_STEPS = 3  # before a capture: libraries choose their algorithms and take their workspaces
PAYS_FROM = 10  # steps still to come; a capture takes as long as one or two of them

log = logging.getLogger(__name__)


class Repeated:
    """A step that is taken many times, on a GPU by replaying its graph once it has been taken a few times.

    A network that can't be captured, because it reads numbers from the device in between, runs step by step.
    """

    def __init__(self, step: Callable[[], None], device: torch.device, *, times: int | None = None) -> None:
        """Set a step that will be taken about `times` times (None: often), always on the same tensors."""
        self._step = step
        self._may_capture = device.type == "cuda" and (times is None or times >= EAGER_STEPS + PAYS_FROM)
        self._taken = 0
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self) -> None:
        """Take the step."""
        if self._may_capture and self._graph is None and self._taken >= EAGER_STEPS:
            self._capture()
        if self._graph is not None:
            self._graph.replay()
        else:
            self._step()
        self._taken += 1

    def _capture(self) -> None:
        self._may_capture = False
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph, capture_error_mode="thread_local"):  # other threads read results meanwhile
                self._step()
        except Exception as error:
            if is_out_of_memory(error):
                raise
            log.info("steps are not captured: %s: %s", type(error).__name__, error)
            torch.cuda.synchronize()
        else:
            self._graph = graph
