"""Explanations of a dataset in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ep_core.models.classifier import Classifier

from .claims import ClaimsHere
from .explainer import Explainer
from .items import Item, Outcome
from .job import Job


def explain_here(
    job: Job,
    model: Classifier,
    items: Sequence[Item],
    *,
    is_stopped: Callable[[], bool] = lambda: False,
    on_begun: Callable[[float], None] = lambda _: None,
) -> Iterator[Outcome]:
    """Explain the images of a dataset; yield what became of each once it is written, as they are done.

    Args:
        job: what to do with them.
        model: that of the job.
        items: the images.
        is_stopped: looked at a few times a second; see `Explainer.outcomes`.
        on_begun: called as often, with the sum of the shares that images on their way are done by.
    """
    store = job.store()
    with Explainer(
        model,
        job.spec,
        store,
        ClaimsHere(store.digests()),
        target_picture=job.target_picture,
        at_once=job.at_once,
    ) as explainer:

        def looked() -> bool:
            on_begun(explainer.begun)
            return is_stopped()

        yield from explainer.outcomes(enumerate(items), is_stopped=looked)
