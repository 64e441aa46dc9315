"""Main loop of one worker process, from its start to its end."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import structlog
import torch
from redis import Redis

from ep_core.errors import InvalidInput, ModelUnavailable
from ep_core.models.runtime.device import pick_device
from ep_core.models.sources.catalogue import list_models
from ep_core.schemas.model_card import ModelCard
from ep_core.schemas.specs import DEFAULT_MODEL
from worker.broker.liveness import worker_name
from worker.broker.queue import connect
from worker.janitor import run_janitor
from worker.observe import tracing
from worker.settings import WorkerSettings

from . import classify_thread, tidying
from .cores import threads_per_worker
from .listed_models import ListedModels
from .outage import wait_for_redis
from .runtime import Runtime
from .seats import work_alone, work_together

EXIT_POISONED = 71  # the supervisor starts the worker again
END_S = 2.0

log = structlog.get_logger(__name__)


def serve(settings: WorkerSettings) -> int:
    """Work until a signal stops it. Returns the process's exit code.

    Raises:
        InvalidInput, UnknownName, ModelUnavailable: the operator's model list is wrong, or the device isn't here.
        RedisIsCluster: Redis is of no use.
    """
    pick_device(settings.device)
    tracing.setup("extremal-perturbations-worker")
    cards = list_models(settings.models_file)
    redis = connect(settings.redis_url)
    runtime = Runtime.build(worker_name(), settings, redis)
    wait_for_redis(redis, runtime.activity)
    listed = ListedModels(redis, settings.models_file, cards, runtime.results)
    listed.publish()
    runtime.results.forget_models([card.name for card in cards])
    ending = threading.Event()
    answers = classify_thread.start(redis, settings, ending)
    # After that thread has chosen its own: new threads begin with this number, and MKL knows no other.
    torch.set_num_threads(settings.threads or threads_per_worker(settings.workers))
    janitor = threading.Thread(target=run_janitor, args=(settings, ending), name="janitor", daemon=True)
    janitor.start()  # before the models: what the last worker left need not wait for them
    preload(runtime, cards)
    tidying.settle()
    threading.Thread(target=listed.watch, args=(runtime.activity, ending), name="models", daemon=True).start()
    work(runtime, redis, listed.publish)
    ending.set()
    answers.join(timeout=END_S)  # torch, at work in a thread when the process ends, could bring it down
    tracing.flush()
    log.info("worker ends", worker=runtime.name)
    return EXIT_POISONED if runtime.activity.device.poisoned else os.EX_OK


def work(runtime: Runtime, redis: Redis, welcome: Callable[[], None]) -> None:
    """Take jobs until a signal stops it; `welcome` is called when Redis doesn't know this worker."""
    take = work_alone if runtime.settings.jobs_at_once == 1 else work_together
    take(runtime, redis, welcome)


def preload(runtime: Runtime, cards: list[ModelCard]) -> None:
    """Load the model that the first job probably needs, so that it doesn't wait."""
    wanted = runtime.settings.preload
    if wanted is None:
        wanted = next((card.name for card in cards if card.name == DEFAULT_MODEL), None)
    if wanted is None:
        return
    try:
        runtime.models.get(wanted)
    except (InvalidInput, ModelUnavailable) as error:
        log.warning("model not preloaded", model=wanted, reason=str(error))
