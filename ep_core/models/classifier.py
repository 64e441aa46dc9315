"""Classifier: a network together with all that's needed to explain it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import torch
from PIL import Image
from torch import nn

from ep_core.errors import InvalidInput
from ep_core.models.checks.brief import brief
from ep_core.models.checks.doubts import IMAGENET_PREPROCESSING, preprocessing_warnings
from ep_core.models.checks.gradients import check_network
from ep_core.models.checks.head import require_head
from ep_core.models.checks.probes import on_trial, probe_images
from ep_core.models.checks.wrapping import check_described, check_module, given_labels
from ep_core.models.runtime.memory import is_of_device
from ep_core.models.runtime.precision import exact_convolutions
from ep_core.models.runtime.turns import one_thread
from ep_core.models.sources.weights import state_digest
from ep_core.models.tuning.adapted import adapt, uncompiled
from ep_core.schemas.model_card import ListedLayer
from ep_core.schemas.specs import Fit
from ep_core.schemas.warnings import ResultWarning

from .frame import Frame
from .layers import find_layers
from .preprocessing import Preprocessing


class Classifier:
    """An image classifier: the network, how pictures become its input, and what its outputs are called.

    Making one leaves the network as it is: nothing is moved, and its mode and gradients stay as they were.

    Example:
        >>> network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 10))  # N x 3 x H x W -> N x 10
        >>> Classifier(network, labels=list("abcdefghij")).num_classes
        10

    Attributes:
        network: N x 3 x H x W -> N x C, scores before the softmax: the one given, out of `torch.compile`'s wrapper, and
            in one that copies and casts (`adapted.Adapted`) where it needs that.
        name: what it is called in requests and results.
        preprocessing: from a picture to the network's input.
        labels: one per class.
        weights_digest: ``sha256:`` and the hex digest of the weights.
        warnings: reasons to doubt every result of this model; results of pictures carry them.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        name: str = "custom",
        preprocessing: Preprocessing | None = None,
        labels: Iterable[Any] | None = None,
        weights_digest: str | None = None,
        check: bool = True,
    ) -> None:
        """Try the network on an image and its blur.

        Args:
            network: N x 3 x H x W -> N x C, scores before the softmax, for any N.
            name: what it is called in results.
            preprocessing: that of the training. Without it, ImageNet's usual one is assumed, 224 x 224 out of a shorter
                side of 256 and ImageNet's mean and std, and results of pictures carry a warning of that.
            labels: one per class, in their order, numbers are written out; by default ``"0"`` to ``"C-1"``. They also
                say that the outputs are classes.
            weights_digest: by default computed from the state dict, as it is now.
            check: whether to refuse a network by whose gradient no mask can be found; without, methods that need none
                (RISE, occlusion, LIME) can be used on any network.

        Raises:
            InvalidInput: the network fails on such an input, its output isn't N x C, C isn't the number of labels, or
                without labels the network ends in features, as one without its head does. Before it runs: it is no
                module, its weights are on several devices or on none, or an argument is of the wrong type.
            ModelUnavailable: its gradient is zero, missing or not finite, its scores are not finite, the same for all
                images, or dependent on the others in a batch (`check.py`).
        """
        network = uncompiled(network)
        check_module(network)
        check_described(name, preprocessing, weights_digest)
        given = None if labels is None else given_labels(labels)
        self.network = network
        self.name = name
        self.preprocessing = preprocessing or IMAGENET_PREPROCESSING
        self.warnings: tuple[ResultWarning, ...] = preprocessing_warnings(preprocessing)
        classes = self._count_classes(" (ImageNet's, as there is no preprocessing)" if preprocessing is None else "")
        if given is None:
            with self.tried() as frozen:
                require_head(frozen, torch.zeros(2, 3, *self.input_size, device=self.device), model=name)
        self.labels = tuple(map(str, range(classes))) if given is None else given
        if len(self.labels) != classes:
            raise InvalidInput(f"model {name!r} has {classes} classes, but {len(self.labels)} labels", field="model")
        if check:
            check_network(self)
        self.weights_digest = weights_digest or state_digest(network)

    def __repr__(self) -> str:
        said = [f"{self.num_classes} classes", f"input {self.input_size}", f"on {self.device}"]
        said += [f"warning: {warning.kind}" for warning in self.warnings]
        return f"Classifier({self.name!r}, {', '.join(said)})"

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of the network's input, in pixels."""
        return self.preprocessing.input_size

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.labels)

    @property
    def device(self) -> torch.device:
        """Device of the network's weights; the CPU for a network without any."""
        return next((parameter.device for parameter in self.network.parameters()), torch.device("cpu"))

    @cached_property
    def layers(self) -> tuple[ListedLayer, ...]:
        """The layers that have channels, in the order of computation; found by a forward pass of zeros.

        TorchScript and exported programs show none.
        """
        with self.frozen() as network:
            return tuple(find_layers(network, self.input_size, self.device))

    def preprocess(self, image: Image.Image, fit: Fit = "crop") -> tuple[torch.Tensor, Frame]:
        """Return the network's input (1 x 3 x H x W, on its device) and where it lies on `image`."""
        tensor, frame = self.preprocessing.preprocess(image, fit)
        return tensor.to(self.device), frame

    @contextmanager
    def frozen(self) -> Iterator[nn.Module]:
        """Give the network in evaluation mode, uncompiled, without gradients for its parameters; undo that afterwards.

        One thread at a time has it, others wait (`turns.one_thread`). Meanwhile a GPU's convolutions of float32 are
        just that (`exact_convolutions`).

        Every module's own mode and every parameter's own flag come back, also after an error. The mode is set flag by
        flag: some networks' `train` and `eval` do more than that (merging weights), or refuse (exported programs).
        """
        with one_thread(self.network), exact_convolutions(), _still(self.network):
            yield self.network

    @contextmanager
    def tried(self) -> Iterator[nn.Module]:
        """Give the frozen network; torch's random numbers, and any inference mode outside, stay as they are."""
        with self.frozen() as network, on_trial(self.device):  # in this order: methods draw while they have a network
            yield network

    def _count_classes(self, size_words: str) -> int:
        """Return C; adapts the network to the engine where it has to be."""
        count = 2  # not 1: shows a network that was traced for single images
        try:
            with self.tried() as network, torch.no_grad():
                self.network, scores = adapt(network, probe_images(self.preprocessing, self.device))
        except Exception as error:
            if is_of_device(error):
                raise
            shape = " x ".join(map(str, (count, 3, *self.input_size)))
            raise InvalidInput(
                f"model {self.name!r} fails on an input of {shape}{size_words}: {brief(error)}", field="model"
            ) from error
        if not isinstance(scores, torch.Tensor) or scores.ndim != 2 or len(scores) != count or scores.shape[1] == 0:
            got = tuple(scores.shape) if isinstance(scores, torch.Tensor) else type(scores).__name__
            raise InvalidInput(
                f"model {self.name!r} must turn N x 3 x H x W into N x C scores; for N = {count} it gives {got}",
                field="model",
            )
        return scores.shape[1]


@contextmanager
def _still(network: nn.Module) -> Iterator[None]:
    """Turn compiled calls, training and the parameters' gradients off; afterwards on again where they were on."""
    modes = [(module, module.training) for module in network.modules()]
    flags = [(parameter, parameter.requires_grad) for parameter in network.parameters()]
    compiled = [(one, one._compiled_call_impl) for one, _ in modes if one._compiled_call_impl is not None]
    try:
        for module, _ in compiled:  # by `module.compile()`: such a call may not heed hooks
            module._compiled_call_impl = None
        for module, _ in modes:
            module.training = False
        for parameter, _ in flags:
            parameter.requires_grad_(False)
        yield
    finally:
        for module, call in compiled:
            module._compiled_call_impl = call
        for module, training in modes:
            module.training = training
        for parameter, requires_grad in flags:
            parameter.requires_grad_(requires_grad)
