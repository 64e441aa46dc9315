"""Run over a dataset: its images explained, here or on a cluster, and what was found written down."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ep_core.models.classifier import Classifier
from ep_core.models.inputs import engine_on, model_ref

from .here import explain_here
from .items import Item, Outcome
from .job import Job
from .labels import class_indices
from .on_ray import Cluster, explain_on_ray
from .page import PAGE, summary_page
from .results import read_results, write_results
from .storage import Folder
from .summary import COLUMNS, Summary, summarise

OnProgress = Callable[[float], None]
"""Called with how many images are done, those on their way by their shares."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Finished:
    """End of a run."""

    done: int
    """Images that came to an end; of a run that was stopped, not all."""
    summary: Summary


def explain_dataset(
    job: Job,
    model: Classifier,
    items: Sequence[Item],
    *,
    cluster: Cluster | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
    on_progress: OnProgress = lambda _: None,
) -> Finished:
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

    Raises:
        InvalidInput: the folder has results of something else, or there is no such cluster.
        OSError: the results can't be written.
    """
    job.store().adopt(job.origin(model.digest))
    outcomes: list[Outcome] = []
    try:
        for outcome in _outcomes(job, model, items, cluster, is_stopped, on_progress):
            outcomes.append(outcome)
            on_progress(len(outcomes))
    except KeyboardInterrupt:
        log.info("stopped after %d of %d images", len(outcomes), len(items))
    return Finished(len(outcomes), _write_down(job, model, items, outcomes))


def _outcomes(
    job: Job,
    model: Classifier,
    items: Sequence[Item],
    cluster: Cluster | None,
    is_stopped: Callable[[], bool],
    on_progress: OnProgress,
) -> Iterator[Outcome]:
    if cluster is not None:
        return explain_on_ray(job, model.digest, items, cluster)
    return explain_here(job, model, items, is_stopped=is_stopped, on_progress=on_progress)


def _write_down(job: Job, model: Classifier, items: Sequence[Item], outcomes: Sequence[Outcome]) -> Summary:
    """Write the table and the page of what is done."""
    folder, store = Folder(job.out), job.store()
    store.merge()
    write_results(folder, store, items, outcomes, class_indices((item.label for item in items), model.labels))
    summary = summarise(read_results(folder, COLUMNS), areas=job.spec.areas, variant=job.spec.variant)
    made = {
        "params": job.spec.model_dump(mode="json"),
        "model": model_ref(model).model_dump(mode="json"),
        "engine": engine_on(model.device).model_dump(mode="json"),
    }
    folder.write(PAGE, summary_page(summary, store, made=made).encode())
    return summary
