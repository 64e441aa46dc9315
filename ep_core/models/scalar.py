"""Scores made of a network's outputs: a function of them, or a contrast of two classes, as a network of one score."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from ep_core.errors import InvalidInput
from ep_core.schemas.model_card import CLASS_TARGETS, Head, TargetKind

ScalarTarget = Callable[[Any], Tensor]
"""Returns the score of each of N images, from the network's outputs for them: N numbers, differentiable, higher is
more. One that takes the outputs of a single image, without the batch, is called image by image: so are
pytorch-grad-cam's `SemanticSegmentationTarget` and `FasterRCNNBoxScoreTarget`."""


class Scored(nn.Module, ABC):
    """A network whose outputs are made scores: N x 3 x H x W -> N x C. Its layers keep the names of the network's.

    Args:
        network: N x 3 x H x W -> any outputs.
    """

    outputs: ClassVar[Head | None] = None
    """Meaning of the scores, where it is known."""
    targets: ClassVar[tuple[TargetKind, ...]] = CLASS_TARGETS
    """Kinds of target that a model of it takes."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    @abstractmethod
    def around(self, network: nn.Module) -> Self:
        """Return the same scores by another network that gives such outputs, as a part or a tuned copy of this one."""

    def get_submodule(self, target: str) -> nn.Module:
        """Return a module by its name in this module, or in the network itself."""
        name = target.removeprefix("network").removeprefix(".")
        return self.network.get_submodule(name) if target else self


class OneScore(Scored):
    """A network whose outputs are made one score: N x 3 x H x W -> N x 1."""


def unscored(network: nn.Module) -> nn.Module:
    """Return the network whose outputs a `Scored` makes scores, or another one as it is."""
    return unscored(network.network) if isinstance(network, Scored) else network


class ScalarNetwork(OneScore):
    """A network and a function of its outputs.

    Args:
        network: N x 3 x H x W -> any outputs: a tensor, a mapping or a sequence of them, a list with an item per image.
        target: see `ScalarTarget`.
        is_batched: whether the target takes the outputs of all images; None finds that with the first batch.
    """

    def __init__(self, network: nn.Module, target: ScalarTarget, *, is_batched: bool | None = None) -> None:
        super().__init__(network)
        self._target = target
        self._is_batched = is_batched

    def around(self, network: nn.Module) -> ScalarNetwork:
        """Return the same score of another network."""
        return ScalarNetwork(network, self._target, is_batched=self._is_batched)

    def forward(self, images: Tensor) -> Tensor:
        """Return the target's scores: N x 3 x H x W -> N x 1.

        Raises:
            InvalidInput: the target's scores are neither N numbers for N images nor one number for one of them.
        """
        outputs = self.network(images)
        count = len(images)
        if self._is_batched is None and count > 1:  # of a single image, both kinds may look alike
            self._is_batched = self._takes_batches(outputs, count)
        if self._is_batched is False:
            return torch.stack([_number(self._target(one)) for one in single_outputs(outputs, count)])[:, None]
        return _column(self._target(outputs), count)

    def _takes_batches(self, outputs: Any, count: int) -> bool:
        """Return whether the target takes the outputs of all images; one that takes a single image's may seem to."""
        scores = _tried(self._target, outputs)
        first = _tried(self._target, next(single_outputs(outputs, count)))
        if not isinstance(scores, Tensor) or scores.shape not in ((count,), (count, 1)):
            return first is None  # neither works: the error of the batch is the one to see
        is_number = isinstance(first, Tensor) and first.numel() == 1
        return not is_number or torch.allclose(first.reshape(()), scores.reshape(-1)[0], equal_nan=True)


class ContrastNetwork(OneScore):
    """A class against another: ``f_target - f_rival``.

    Args:
        network: N x 3 x H x W -> N x C.
        target: class index.
        rival: another one.
    """

    def __init__(self, network: nn.Module, target: int, rival: int) -> None:
        super().__init__(network)
        self._target, self._rival = target, rival

    def around(self, network: nn.Module) -> ContrastNetwork:
        """Return the same contrast by another network."""
        return ContrastNetwork(network, self._target, self._rival)

    def forward(self, images: Tensor) -> Tensor:
        """Return the difference of the scores."""
        scores = self.network(images)
        difference: Tensor = scores[:, self._target, None] - scores[:, self._rival, None]
        return difference


def scalar_network(network: nn.Module, target: ScalarTarget) -> nn.Module:
    """Return a network of one score: N x 3 x H x W -> N x 1.

    Args:
        network: N x 3 x H x W -> any outputs.
        target: see `ScalarTarget`.

    Raises:
        InvalidInput: the target can't be called.
    """
    if not callable(target):
        raise InvalidInput(
            "a target is a class, or a function of the network's outputs that returns a score for each image, not "
            f"{type(target).__name__}",
            field="target",
        )
    return ScalarNetwork(network, target)


def label_of(target: ScalarTarget) -> str:
    """Return the name of a target, for results: a function's own, or that of its class."""
    name: str = getattr(target, "__name__", type(target).__name__)
    return name.strip("<>")


def single_outputs(outputs: Any, count: int) -> Iterator[Any]:
    """Yield the outputs of each of N images, without the batch.

    Args:
        outputs: N x ..., a mapping or a tuple of such tensors, or a list with an item per image as detectors give.
        count: N.
    """
    for place in range(count):
        yield _of_one(outputs, place, count)


def _of_one(outputs: Any, place: int, count: int) -> Any:
    if isinstance(outputs, Tensor):
        return outputs[place]
    if isinstance(outputs, Mapping):
        single = {name: _of_one(value, place, count) for name, value in outputs.items()}
        return single if type(outputs) is dict else type(outputs)(**single)  # Hugging Face's have attributes
    if isinstance(outputs, Sequence) and not isinstance(outputs, str):
        if len(outputs) == count and not any(isinstance(one, Tensor) for one in outputs):
            return outputs[place]
        return tuple(_of_one(value, place, count) for value in outputs)
    return outputs


def _tried(target: ScalarTarget, outputs: Any) -> Any:
    try:
        return target(outputs)
    except Exception:  # of outputs in another form than it takes, nearly anything
        return None


def _number(score: Any) -> Tensor:
    if isinstance(score, Tensor) and score.numel() == 1:
        return score.reshape(())
    raise _wrong(score, "one image")


def _column(scores: Any, count: int) -> Tensor:
    if isinstance(scores, Tensor) and (scores.shape in ((count,), (count, 1)) or count == scores.numel() == 1):
        return scores.reshape(count, 1)
    raise _wrong(scores, f"{count} images")


def _wrong(scores: Any, images: str) -> InvalidInput:
    got = f"a tensor of {tuple(scores.shape)}" if isinstance(scores, Tensor) else type(scores).__name__
    return InvalidInput(
        f"a target returns a score for each image, N numbers for N of them; for {images} it returned {got}",
        field="target",
    )
