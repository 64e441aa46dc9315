"""Run over a dataset: its images explained, here or on a cluster, and what was found written down."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence

from ep_core.models.classifier import Classifier
from ep_core.models.inputs import model_ref

from .here import explain_here
from .items import Item, Outcome
from .job import Job
from .labels import class_indices
from .on_ray import Cluster, explain_on_ray
from .page import PAGE, summary_page
from .results import earlier_outcomes, read_results, write_results
from .storage import Folder
from .summary import COLUMNS, Summary, summarise

OnProgress = Callable[[float, int], None]
"""Called with how many images are explained, those on their way by their shares, and how many there are to explain, as
far as is known: images whose content was explained already are not among them."""

log = logging.getLogger(__name__)


def explain_dataset(
    job: Job,
    model: Classifier,
    items: Sequence[Item],
    *,
    cluster: Cluster | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
    on_progress: OnProgress = lambda done, of: None,
) -> Summary:
    """Explain the images of a dataset, and write results, masks and the page into the job's folder.

    What is there already, of the same model and parameters, is kept. Each content is explained once.

    Args:
        job: what to do with them.
        model: that of the job.
        items: the images (`list_items`).
        cluster: where; None: in this process.
        is_stopped: looked at a few times a second: once it is true, the run ends with what is done. On a cluster, a
            `KeyboardInterrupt` does.
        on_progress: called as often; on a cluster, after each batch.

    Returns:
        The summary of the results; of a run that was stopped, of those of earlier runs, too.

    Raises:
        InvalidInput: the folder has results of something else, or there is no such cluster.
        OSError: the results can't be written.
    """
    job.store().adopt(job.origin(model.digest))
    outcomes: list[Outcome] = []
    new = 0

    def tell(begun: float = 0.0) -> None:
        on_progress(new + begun, len(items) - len(outcomes) + new)

    try:
        for outcome in _outcomes(job, model, items, cluster, is_stopped, tell):
            outcomes.append(outcome)
            new += outcome.is_new
            tell()
    except KeyboardInterrupt:
        log.info("stopped after %d of %d images", len(outcomes), len(items))
    return _write_down(job, model, items, outcomes)


def _outcomes(
    job: Job,
    model: Classifier,
    items: Sequence[Item],
    cluster: Cluster | None,
    is_stopped: Callable[[], bool],
    on_begun: Callable[[float], None],
) -> Iterator[Outcome]:
    if cluster is not None:
        return explain_on_ray(job, model.digest, items, cluster)
    return explain_here(job, model, items, is_stopped=is_stopped, on_begun=on_begun)


def _write_down(job: Job, model: Classifier, items: Sequence[Item], outcomes: Sequence[Outcome]) -> Summary:
    """Write the table and the page of what is done."""
    folder, store = Folder(job.out), job.store()
    if len(outcomes) < len(items):
        outcomes = [*outcomes, *earlier_outcomes(folder, items, outcomes)]
    store.merge()
    write_results(folder, store, items, outcomes, class_indices((item.label for item in items), model.labels))
    summary = summarise(read_results(folder, COLUMNS), areas=job.spec.areas, variant=job.spec.variant)
    folder.write(PAGE, summary_page(summary, store, params=job.spec, model=model_ref(model)).encode())
    return summary
