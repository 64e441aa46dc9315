"""Explanations of a dataset on a Ray cluster: Ray Data hands the images to actors that hold the model.

Each actor writes what it finds by itself. Where one ends, Ray starts another and gives it the same images: those that
are written are passed over.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from ep_core.errors import InvalidInput, ModelUnavailable

from .claims import Claim, Claims, ClaimsHere
from .explainer import AT_ONCE, Explainer
from .items import Item, Outcome
from .job import Job
from .tables import FAULTS, fault_table, item_batches, outcome_table, outcomes_of, placed_items

if TYPE_CHECKING:
    import pyarrow as pa

LOCAL = "local"
"""Address of a cluster of this machine alone, which ends with the run."""
_ROUNDS = 4
"""Images of a batch, times those on their way at once: a batch's last ones have less company."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Cluster, and share of it that each actor takes."""

    address: str = LOCAL
    """As `ray.init` takes it."""
    actors: int | None = None
    """None: as many as there is room for."""
    cores: int = 1
    """Of each actor."""
    gpus: float | None = None
    """Of each actor; None: one where there is any."""


def explain_on_ray(job: Job, model_digest: str, items: Sequence[Item], cluster: Cluster) -> Iterator[Outcome]:
    """Explain the images of a dataset on a cluster; yield what became of each once its batch is done.

    Args:
        job: what to do with them; its folder and its model list are at the same place on all nodes.
        model_digest: of the job's model (`Classifier.digest`).
        items: the images, which all nodes can read.
        cluster: where.

    Raises:
        InvalidInput: there is no such cluster, or no room for an actor.
        ModelUnavailable: an actor's model isn't the job's.
        Exception: what `Explainer.outcomes` raises.
    """
    import ray

    from_here = not ray.is_initialized()
    if from_here:
        _connect(cluster.address)
    try:
        gpus = cluster.gpus if cluster.gpus is not None else float(bool(ray.cluster_resources().get("GPU")))
        actors = cluster.actors or _room(cluster.cores, gpus)
        yield from _outcomes(job, model_digest, items, actors=actors, cores=cluster.cores, gpus=gpus)
    finally:
        if from_here:
            ray.shutdown()


def _connect(address: str) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # of a cluster of our own: it would tell its makers of us
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # Ray Data's own actors make it warn of each
    import ray

    try:
        ray.init(address=address, log_to_driver=False, logging_level="error")
    except (ConnectionError, ValueError) as error:
        raise InvalidInput(f"there is no Ray cluster at {address}: {error}", field="ray") from error


def _room(cores: int, gpus: float) -> int:
    """Return how many actors there is room for.

    Raises:
        InvalidInput: for none.
    """
    import ray

    there = ray.cluster_resources()
    room = int(there.get("GPU", 0) // gpus) if gpus else int(there.get("CPU", 0) // cores)
    if room < 1:
        raise InvalidInput(
            f"the cluster has {there.get('CPU', 0):g} cores and {there.get('GPU', 0):g} GPUs: no room for an actor of "
            f"{cores} and {gpus:g}",
            field="ray",
        )
    return room


def _outcomes(
    job: Job, model_digest: str, items: Sequence[Item], *, actors: int, cores: int, gpus: float
) -> Iterator[Outcome]:
    import ray
    from ray.data import ActorPoolStrategy, DataContext
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = False
    at_once = job.at_once or AT_ONCE["cuda" if gpus else "cpu"]
    batch = max(1, min(_ROUNDS * at_once, len(items) // (2 * actors)))
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    register: Any = ray.remote(ClaimsHere).options(num_cpus=0, scheduling_strategy=here)
    claims = register.remote(job.store().digests())
    listed = ray.data.from_arrow(item_batches(items, batch))
    explained = listed.map_batches(
        Explaining,
        batch_size=None,  # a block is a batch: what Ray hands out, and hands out again
        batch_format="pyarrow",
        compute=ActorPoolStrategy(size=min(actors, -(-len(items) // batch))),
        fn_constructor_args=(job, model_digest, ClaimsThere(claims), cores),
        num_cpus=cores,
        num_gpus=gpus or None,
    )
    for table in explained.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
        yield from outcomes_of(table)


class ClaimsThere:
    """Register of claims in an actor, for those on other nodes."""

    def __init__(self, actor: Any) -> None:
        """Set the handle of an actor of `ClaimsHere`."""
        self._actor = actor

    def take(self, digest: str, place: int) -> Claim:
        """Claim a content: see `Claims`."""
        import ray

        taken: Claim = ray.get(self._actor.take.remote(digest, place))
        return taken


class Explaining:
    """Actor that holds the model: from a batch of listed images to a batch of outcomes, or a fault."""

    def __init__(self, job: Job, model_digest: str, claims: Claims, cores: int) -> None:
        """Load the model.

        Args:
            job: what to do with the images.
            model_digest: of the model of the run; another one is a fault of each batch.
            claims: register of who explains what.
            cores: threads to compute with.
        """
        import torch

        torch.set_num_threads(cores)
        self._explainer: Explainer | None = None
        self._fault: Exception | None = None
        try:
            self._explainer = _explainer(job, model_digest, claims)
        except tuple(FAULTS.values()) as fault:
            self._fault = fault

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Explain a batch's images."""
        if self._explainer is None:
            return fault_table(cast("Exception", self._fault))
        try:
            return outcome_table(self._explainer.outcomes(placed_items(batch)))
        except tuple(FAULTS.values()) as fault:
            return fault_table(fault)


def _explainer(job: Job, model_digest: str, claims: Claims) -> Explainer:
    from ep_core.models import load_model

    model = load_model(job.spec.model, models_file=job.models_file, device=job.device)
    if model.digest != model_digest:
        raise ModelUnavailable(
            f"model {job.spec.model!r} has other weights or settings on a node than where the run was started: let all "
            "nodes have the same files"
        )
    return Explainer(model, job.spec, job.store(), claims, target_picture=job.target_picture, at_once=job.at_once)
