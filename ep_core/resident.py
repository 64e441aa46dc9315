"""Resident engine: explanations of many images in common batches, each asked for and answered at any time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from ep_core.engine import explain
from ep_core.extremal.explanation import Explanation
from ep_core.extremal.sweep import AnySpec
from ep_core.models.arguments import AnyModel
from ep_core.optimiser.resident import Resident
from ep_core.pictures.given_image import AnyImage
from ep_core.schemas.progress import OnProgress, Progress


class Canceled(Exception):
    """The explanation was canceled."""


class Handle:
    """An explanation that was asked for."""

    def __init__(self, on_progress: OnProgress | None) -> None:
        self._on_progress = on_progress
        self._canceled = threading.Event()
        self._future: Future[Explanation] = Future()
        self.progress: Progress | None = None
        """As of a moment ago; None until it has begun."""

    @property
    def is_done(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self._future.done()

    def cancel(self) -> None:
        """End it after the next step; `result` then raises `Canceled`. What has ended stays as it is."""
        self._canceled.set()

    def result(self, timeout_s: float | None = None) -> Explanation:
        """Wait for the explanation.

        Args:
            timeout_s: seconds to wait, at most.

        Raises:
            Canceled: it was canceled.
            EngineClosed: the engine was closed.
            TimeoutError: it takes longer.
            Exception: what `explain` raises.
        """
        return self._future.result(timeout_s)

    def _told(self, progress: Progress) -> None:
        if self._canceled.is_set():
            raise Canceled("the explanation was canceled")
        self.progress = progress
        if self._on_progress is not None:
            self._on_progress(progress)


class ResidentEngine(Resident):
    """Explains images in common batches: one thread steps the masks of all, others prepare and score them.

    Images of one network, frame size and kind of perturbation share batches; others take turns. Whoever has had least
    of the device comes first, so that a small request is done soon beside a large one. On a CPU a result is the same
    to the bit as `explain`'s (tested for `mobilenet_v2`).

    It is a `Runner` too, for `explain` and `run_task` in threads of one's own.
    """

    def __init__(self) -> None:
        """Start without a request."""
        super().__init__()
        self._threads: set[threading.Thread] = set()

    def close(self) -> None:
        """End what is on its way (`EngineClosed`), and wait until it has."""
        super().close()
        for thread in list(self._threads):
            thread.join()

    def submit(
        self,
        model: AnyModel,
        image: AnyImage,
        spec: AnySpec | None = None,
        *,
        on_progress: OnProgress | None = None,
        max_lanes: int | None = None,
        target_picture: AnyImage | None = None,
    ) -> Handle:
        """Ask for an explanation; arguments as for `explain`, and `on_progress` is called in another thread."""
        handle = Handle(on_progress)

        def answer() -> None:
            with _settled(handle._future, self._threads):
                found = explain(
                    model,
                    image,
                    spec,
                    on_progress=handle._told,
                    max_lanes=max_lanes,
                    target_picture=target_picture,
                    runner=self,
                )
                handle._future.set_result(found)

        thread = threading.Thread(target=answer, name="explaining", daemon=True)
        self._threads.add(thread)
        thread.start()
        return handle


@contextmanager
def _settled(future: Future[Explanation], threads: set[threading.Thread]) -> Iterator[None]:
    """Give an error to whoever waits, and forget this thread."""
    try:
        yield
    except BaseException as error:
        future.set_exception(error)
    finally:
        threads.discard(threading.current_thread())
