"""Thread that answers interactive requests (`classify_queries.py`), also while the worker runs a job."""

from __future__ import annotations

import gc
import threading
from functools import partial
from uuid import uuid4

import structlog
import torch
from redis import Redis

import ep_core
from ep_core.errors import InvalidInput, ModelUnavailable
from ep_core.models.inputs import warnings_about
from ep_core.models.runtime.memory import is_out_of_memory
from ep_core.models.top_classes import top_classes
from worker.broker import classify_queries
from worker.broker.classify_queries import Classified, ClassifyQuery
from worker.broker.contract import Problem
from worker.broker.problems import internal_error, out_of_memory, problem_from
from worker.broker.queue import REDIS_UNUSABLE
from worker.settings import WorkerSettings

from .loaded_models import WarmModels
from .survey import publish_loaded

KEPT_MODELS = 2
LOOK_S = 0.5  # how soon it sees that the worker ends
PAUSE_S = 1.0

log = structlog.get_logger(__name__)


def start(redis: Redis, settings: WorkerSettings, ending: threading.Event) -> threading.Thread:
    """Start the thread, and return it as soon as it has set its number of torch threads.

    The caller sets torch's number for the others afterwards.
    """
    ready = threading.Event()
    thread = threading.Thread(target=_run, args=(redis, settings, ending, ready), name="answering", daemon=True)
    thread.start()
    ready.wait()
    return thread


def _run(redis: Redis, settings: WorkerSettings, ending: threading.Event, ready: threading.Event) -> None:
    compute_alone()
    ready.set()
    run_answers(redis, settings, ending)


def compute_alone() -> None:
    """Let torch take no further threads for this one: more than there are cores would hold up the running job.

    The number is each thread's own, and also what new threads and MKL begin with.
    """
    torch.set_num_threads(1)
    torch.get_num_threads()  # else the thread would begin with the number as it is at its first operation


def run_answers(redis: Redis, settings: WorkerSettings, ending: threading.Event) -> None:
    """Answer one query after the other until `ending` is set; Redis may come and go.

    The networks are this thread's own, on the CPU: those of the main thread are full of hooks while it explains, and
    a call to the GPU's driver would spoil the graph that it may just be recording.
    """
    models = WarmModels.from_catalogue(
        size=KEPT_MODELS,
        device="cpu",
        models_file=settings.models_file,
        on_load=partial(publish_loaded, redis),
        free=gc.collect,
    )
    while not ending.is_set():
        try:
            taken = classify_queries.take(redis, wait_s=LOOK_S)
            if taken is not None:
                query, image = taken
                classify_queries.answer(redis, query.id, _answer(models, query, image, max_pixels=settings.max_pixels))
        except REDIS_UNUSABLE as error:
            log.debug("no queries, Redis is away", error=str(error))
            ending.wait(PAUSE_S)
        except Exception:
            log.exception("a query was lost")
            ending.wait(PAUSE_S)


def _answer(models: WarmModels, query: ClassifyQuery, image: bytes, *, max_pixels: int) -> Classified | Problem:
    try:
        picture = ep_core.read_image(image, max_pixels=max_pixels, white_level=query.white_level)
        model = models.get(query.model)
        classes = top_classes(model, picture, count=query.top, fit=query.fit)
        return Classified(model=query.model, classes=classes, warnings=list(warnings_about(model, [picture])))
    except Exception as error:
        return _problem(error, query)


def _problem(error: Exception, query: ClassifyQuery) -> Problem:
    """Return the problem for the caller; what only the operator should see goes to the log."""
    if isinstance(error, InvalidInput | ModelUnavailable):
        return problem_from(error)
    incident = uuid4().hex[:12]
    log.error("classification failed unexpectedly", incident=incident, model=query.model, exc_info=error)
    return out_of_memory() if is_out_of_memory(error) else internal_error(incident)
