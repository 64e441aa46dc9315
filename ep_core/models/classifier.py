"""A network together with all that's needed to explain it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property

import torch
from PIL import Image
from torch import nn

from ep_core.errors import InvalidInput
from ep_core.result_warning import ResultWarning
from ep_core.spec import Fit

from .card import ListedLayer
from .frame import Frame
from .layers import find_layers
from .precision import exact_convolutions
from .preprocessing import Preprocessing
from .weights import state_digest

IMAGENET_PREPROCESSING = Preprocessing(input_size=(224, 224), resize=256)


class Classifier:
    """An image classifier: the network, how pictures become its input, and what its outputs are called.

    Making one leaves the network as it is: nothing is moved, and its mode and gradients stay as they were.

    Example:
        >>> network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 10))  # N x 3 x H x W -> N x 10
        >>> Classifier(network, labels=list("abcdefghij")).num_classes
        10

    Attributes:
        network: N x 3 x H x W -> N x C, scores before the softmax.
        name: what it is called in requests and results.
        preprocessing: from a picture to the network's input.
        labels: one per class.
        weights_digest: ``sha256:`` and the hex digest of the weights.
        warnings: what makes every answer about this model less than it seems; each result carries them.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        name: str = "custom",
        preprocessing: Preprocessing = IMAGENET_PREPROCESSING,
        labels: Sequence[str] | None = None,
        weights_digest: str | None = None,
    ) -> None:
        """Check the network by one forward pass of zeros.

        Args:
            network: N x 3 x H x W -> N x C, scores before the softmax, for any N.
            name: what it is called in results.
            preprocessing: by default ImageNet's usual one: 224 x 224 out of a shorter side of 256.
            labels: one per class; by default ``"0"`` to ``"C-1"``.
            weights_digest: by default computed from the state dict, as it is now.

        Raises:
            InvalidInput: the network fails on such an input, its output isn't N x C, or C isn't the number of labels.
        """
        self.network = network
        self.name = name
        self.preprocessing = preprocessing
        self.warnings: tuple[ResultWarning, ...] = ()
        classes = self._count_classes()
        self.labels = tuple(map(str, range(classes))) if labels is None else tuple(labels)
        if len(self.labels) != classes:
            raise InvalidInput(f"model {name!r} has {classes} classes, but {len(self.labels)} labels", field="model")
        self.weights_digest = weights_digest or state_digest(network)

    def __repr__(self) -> str:
        return f"Classifier({self.name!r}, {self.num_classes} classes, input {self.input_size}, on {self.device})"

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of the network's input, in pixels."""
        return self.preprocessing.input_size

    @property
    def num_classes(self) -> int:
        """How many classes there are."""
        return len(self.labels)

    @property
    def device(self) -> torch.device:
        """Where the network's weights are; the CPU for a network without any."""
        return next((parameter.device for parameter in self.network.parameters()), torch.device("cpu"))

    @cached_property
    def layers(self) -> tuple[ListedLayer, ...]:
        """The layers that have channels, in the order of computation; found by a forward pass of zeros."""
        with self.frozen() as network:
            return tuple(find_layers(network, self.input_size, self.device))

    def preprocess(self, image: Image.Image, fit: Fit = "crop") -> tuple[torch.Tensor, Frame]:
        """Return the network's input (1 x 3 x H x W, on its device) and where it lies on `image`."""
        tensor, frame = self.preprocessing.preprocess(image, fit)
        return tensor.to(self.device), frame

    @contextmanager
    def frozen(self) -> Iterator[nn.Module]:
        """Give the network in evaluation mode and without gradients for its parameters, and undo both afterwards.

        Meanwhile a GPU's convolutions of float32 are just that (`exact_convolutions`).

        Every module's own mode and every parameter's own flag come back, also after an error. The mode is set flag by
        flag: some networks' `train` and `eval` do more than that (merging weights), or refuse (exported programs).
        """
        modes = [(module, module.training) for module in self.network.modules()]
        flags = [(parameter, parameter.requires_grad) for parameter in self.network.parameters()]
        try:
            for module, _ in modes:
                module.training = False
            for parameter, _ in flags:
                parameter.requires_grad_(False)
            with exact_convolutions():
                yield self.network
        finally:
            for module, training in modes:
                module.training = training
            for parameter, requires_grad in flags:
                parameter.requires_grad_(requires_grad)

    def _count_classes(self) -> int:
        batch = 2  # not 1: shows a network that was traced for single images
        zeros = torch.zeros(batch, 3, *self.input_size, device=self.device)
        try:
            with self.frozen() as network, torch.no_grad():
                scores = network(zeros)
        except Exception as error:
            shape = " x ".join(map(str, zeros.shape))
            raise InvalidInput(f"model {self.name!r} fails on an input of {shape}: {error}", field="model") from error
        if not isinstance(scores, torch.Tensor) or scores.ndim != 2 or len(scores) != batch:
            got = tuple(scores.shape) if isinstance(scores, torch.Tensor) else type(scores).__name__
            raise InvalidInput(
                f"model {self.name!r} must turn N x 3 x H x W into N x C scores; for N = {batch} it gives {got}",
                field="model",
            )
        return scores.shape[1]
