"""Explainer of a dataset's images: several at once in common batches, each written as soon as it is done."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from typing import Self

from torch import Tensor, nn

from ep_core.engine import explain
from ep_core.errors import InvalidInput
from ep_core.extremal.explanation import Explanation
from ep_core.models.classifier import Classifier
from ep_core.pictures.decoding import read_with_level
from ep_core.pictures.embedded import thumbnail
from ep_core.pictures.overlays import grey, png
from ep_core.resident import Canceled, ResidentEngine
from ep_core.schemas.finite import require_finite_report
from ep_core.schemas.progress import Progress
from ep_core.schemas.reports.file_names import area_key
from ep_core.schemas.specs import ExtremalSpec

from .claims import Claim, Claims
from .items import Item, Outcome, Reader, Unread
from .rows import Row, explained_row, problem_row
from .store import Store

SIDE = 160
"""Most pixels of the longer side of the small picture of an image."""
AT_ONCE = {"cpu": 2, "cuda": 16}
"""Images on their way at once, unless told otherwise: on a CPU one fills the batches, another one is read meanwhile."""
_PATIENCE_S = 0.2  # between two looks whether to stop

Placed = tuple[int, Item]
"""An image, and its place in the dataset's listing."""


@dataclass(frozen=True)
class _Done:
    outcome: Outcome
    row: Row | None = None
    """None where nothing is to be written."""
    masks: dict[str, bytes] = field(default_factory=dict)


class _Engine(ResidentEngine):
    """Engine that keeps the tuned copy of a network from one image to the next, also where none is on its way."""

    def tune(self, network: nn.Module, example: Tensor) -> nn.Module:
        self._kept = super().tune(network, example)
        return self._kept


class Explainer:
    """Explains images with one model, and writes what it finds into a store; a context manager."""

    def __init__(
        self,
        model: Classifier,
        spec: ExtremalSpec,
        store: Store,
        claims: Claims,
        *,
        target_picture: bytes | None = None,
        at_once: int | None = None,
    ) -> None:
        """Start without an image.

        Args:
            model: the classifier.
            spec: the sweep of each image.
            store: where what is found goes.
            claims: register of who explains what.
            target_picture: the target's own, one for all images.
            at_once: images on their way at once; None: `AT_ONCE`.
        """
        self._model = model
        self._spec = spec
        self._store = store
        self._claims = claims
        self._target_picture = target_picture
        self._at_once = at_once or AT_ONCE.get(model.device.type, AT_ONCE["cpu"])
        self._reader = Reader()
        self._engine = _Engine()
        self._threads = ThreadPoolExecutor(self._at_once, "explaining")
        self._shares: dict[int, float] = {}
        self._stopping = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give up what is on its way, and end the threads."""
        self._stopping = True
        self._engine.close()
        self._threads.shutdown()

    @property
    def begun(self) -> float:
        """Sum of the shares that the images on their way are done by."""
        return sum(list(self._shares.values()))

    def outcomes(self, items: Iterable[Placed], *, is_stopped: Callable[[], bool] = lambda: False) -> Iterator[Outcome]:
        """Explain images; yield what became of each once it is written, as they are done.

        Args:
            items: the images.
            is_stopped: looked at a few times a second; once it is true, images on their way are given up, and those
                that are done are written.

        Raises:
            OSError: what is found can't be written.
            Exception: an image has met a fault of the program or of the network; those that are done are written.
        """
        waiting, running = iter(items), set[Future[_Done]]()
        self._stopping = False
        try:
            while not is_stopped():
                room = self._at_once - len(running)
                running |= {self._threads.submit(self._one, *placed) for placed in islice(waiting, room)}
                if not running:
                    return
                done, running = wait(running, _PATIENCE_S, FIRST_COMPLETED)
                yield from self._written(done)
        finally:
            self._stopping = True
            wait(running)
        yield from self._written(running)

    def _written(self, ended: Collection[Future[_Done]]) -> Iterator[Outcome]:
        """Write what is done as a part, yield the outcomes, then raise the first fault of the others, if any."""
        faults = [fault for one in ended if (fault := one.exception()) is not None]
        done = [one.result() for one in ended if one.exception() is None]
        rows = [one.row for one in done if one.row is not None]
        if rows:
            self._store.add(rows, {one.outcome.digest or "": one.masks for one in done if one.masks})
        yield from (one.outcome for one in done)
        for fault in faults:
            if not isinstance(fault, Canceled):
                raise fault

    def _one(self, place: int, item: Item) -> _Done:
        try:
            data = self._reader.read(item)
        except Unread as error:
            return _Done(Outcome(place, problem=str(error)))
        digest = hashlib.sha256(data).hexdigest()
        claim = self._claims.take(digest, place)
        if claim == Claim.KNOWN or (claim == Claim.AGAIN and digest in self._store.digests()):
            return _Done(Outcome(place, digest))
        outcome = Outcome(place, digest, is_new=True)
        try:
            found = self._explained(place, data)
            report = found.report()
            require_finite_report(report)
        except InvalidInput as error:
            return _Done(outcome, problem_row(digest, str(error)))
        finally:
            self._shares.pop(place, None)
        return _Done(outcome, explained_row(digest, report, thumbnail(found.image, SIDE)), masks_of(found))

    def _explained(self, place: int, data: bytes) -> Explanation:
        def tell(progress: Progress) -> None:
            if self._stopping:
                raise Canceled("the run was stopped")
            self._shares[place] = progress.iteration / progress.total

        return explain(
            self._model,
            read_with_level(data, self._spec.white_level),
            self._spec,
            on_progress=tell,
            target_picture=self._target_picture,
            runner=self._engine,
        )


def masks_of(found: Explanation) -> dict[str, bytes]:
    """Return the PNGs of an explanation's masks in the network's frame, by key: the areas' and the others'."""
    named = {area_key(area): mask for area, mask in zip(found.spec.areas, found.masks, strict=True)}
    return {key: png(grey(mask[0].numpy())) for key, mask in (named | found.named_masks).items()}
