"""Small jobs of all tasks, over more networks than a worker keeps loaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ep_core.schemas.specs import METHODS

from .mixed_pictures import large_pictures, small_pictures
from .posting import JsonObject
from .stack import MODELS, TINY

ROUND = 50
"""Jobs after which the requests begin again."""
MOBILENET = "mobilenet_v2"
RESNET, SQUEEZENET, SHUFFLENET = OTHERS = ("resnet18", "squeezenet1_1", "shufflenet_v2_x1_0")
NETWORKS = (TINY, MOBILENET, *OTHERS)
MIXED_MODELS = MODELS + "".join(
    f"""
[models.{name}]
entry_point = "torchvision.models:{name}"
labels = "imagenet"
preprocessing = {{ input_size = [96, 96], resize = 110, mean = [0.5, 0.5, 0.5], std = [0.25, 0.25, 0.25] }}
"""
    for name in OTHERS
)
"""The stack's models, and others with random weights as torchvision draws them."""


@dataclass(frozen=True)
class MixedJob:
    """One job: its parameters and its pictures."""

    params: JsonObject
    pictures: tuple[tuple[str, bytes], ...]
    """Names and files; several for `class_channels` alone."""


def mixed_jobs(count: int) -> Iterator[MixedJob]:
    """Yield so many jobs, in rounds of the same requests.

    The pictures of a request change from round to round, but for large ones: these set the peak of memory, so that
    rounds can be compared.
    """
    small, large = list(small_pictures().items()), list(large_pictures().items())
    every = ROUND // len(large)
    for number in range(count):
        turn, place = divmod(number % ROUND, every)
        if place == every - 1:
            yield MixedJob(_OF_LARGE[turn], (large[turn],))
            continue
        params = _REQUESTS[number % ROUND % len(_REQUESTS)]
        wanted = 3 if params.get("task") == "class_channels" else 1
        yield MixedJob(params, tuple(small[(number + k) % len(small)] for k in range(wanted)))


def _sweep(model: str, iterations: int, areas: tuple[float, ...], **more: object) -> JsonObject:
    return {"model": model, "iterations": iterations, "areas": areas} | more


def _masks(model: str, iterations: int, areas: tuple[float, ...], **more: object) -> JsonObject:
    nothing_else = {"check_extremality": False, "alternatives": 0, "contrast": False}
    return _sweep(model, iterations, areas, **nothing_else, **more)


def _channels(model: str, layer: str, **more: object) -> JsonObject:
    return {"task": "channels", "model": model, "layer": layer, "iterations": 2, "areas": [1, 3]} | more


def _class_channels(model: str, layer: str, **more: object) -> JsonObject:
    few = {"iterations": 2, "top": 2, "threshold": 0.001}
    return {"task": "class_channels", "model": model, "layer": layer} | few | more


def _comparison(model: str, *methods: str, **more: object) -> JsonObject:
    few = {"iterations": 1, "areas": [0.1], "samples": 10}
    return {"task": "compare", "model": model, "methods": methods} | few | more


_SIX = (0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
_REQUESTS: tuple[JsonObject, ...] = (
    _masks(MOBILENET, 1, (0.05, 0.2)),
    _sweep(TINY, 5, (0.1234567, 0.777), fit="stretch"),
    _comparison(TINY, *METHODS),
    _channels(RESNET, "layer3", variant="hybrid"),
    _sweep(SQUEEZENET, 1, (0.3,), perturbation="fade"),
    _masks(TINY, 1, tuple(k / 20 for k in range(1, 20))),
    _comparison(SQUEEZENET, "gradient", "guided_backprop", "deconvnet", "lrp", "occlusion"),
    _masks(SHUFFLENET, 1, (0.1,), variant="delete", seed=7),
    _class_channels(TINY, "features.0", target=1),
    _masks(RESNET, 1, (0.02, 0.5), fit="stretch"),
    _sweep(TINY, 4, (0.2, 0.6), preset="paper"),
    _channels(SQUEEZENET, "features.12", preset="paper"),
    _sweep(TINY, 3, (0.3,), independent=True, alternatives=4),
    _comparison(RESNET, "grad_cam", "smoothgrad", "excitation_backprop", fit="stretch"),
    _masks(SHUFFLENET, 1, (0.1, 0.4), independent=True),
    _class_channels(RESNET, "layer4", areas=[2], invert=False, target=3),
    _masks(TINY, 2, (0.1, 0.2), variant="hybrid", fit="stretch", pyramid_levels=20),
    _channels(TINY, "features.0", invert=True, areas=[1, 4]),
    _comparison(SHUFFLENET, "lime", "center", "greedy_superpixels"),
    _masks(RESNET, 1, (0.15,), perturbation="blur", sigma_max=40, threshold=0.5),
    _sweep(TINY, 5, (0.05,), variant="hybrid", preset="paper", target="yes"),
    _masks(SQUEEZENET, 1, (0.4,), variant="hybrid"),
    _comparison(TINY, "rise", "meaningful_perturbation", "igos_plus_plus", "phase_win"),
)
_OF_LARGE: tuple[JsonObject, ...] = (
    _masks(TINY, 1, (0.1,)),
    _masks(MOBILENET, 1, (0.1, 0.3)),
    _comparison(MOBILENET, "grad_cam", "integrated_gradients"),
    _channels(MOBILENET, "features.13"),
    _sweep(TINY, 1, (0.5,), fit="stretch"),
)
