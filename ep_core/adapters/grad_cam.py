"""pytorch-grad-cam's interface: extremal perturbations called as one of its CAMs.

>>> from ep_core.adapters.grad_cam import ExtremalPerturbation
>>> with ExtremalPerturbation(model=network) as cam:
...     grayscale = cam(input_tensor=x, targets=[ClassifierOutputTarget(295)])  # B x 3 x H x W -> B x H x W
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from ep_core.errors import InvalidInput
from ep_core.models.classifier import Classifier

from .arguments import check_options, given_batch, given_targets
from .saliency import Target, saliency

try:
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
except ImportError:
    ClassifierOutputTarget = None


class ExtremalPerturbation:
    """Extremal perturbations (Fong, Patrick, Vedaldi, ICCV 2019) in the place of a CAM.

    The network is left as it was found: mode, gradients, hooks. There is nothing to release afterwards.
    """

    def __init__(
        self, model: nn.Module | Classifier, target_layers: Any = None, reshape_transform: Any = None, **options: Any
    ) -> None:
        """Take what is explained.

        Args:
            model: N x 3 x H x W -> N x C scores, or other outputs, of which `targets` make scores. An
                `ep_core.Classifier` will do, too.
            target_layers, reshape_transform: ignored. A CAM reads the activations of layers; masks are optimised on the
                image itself, and only the network's outputs are read.
            options: fields of `ep_core.ExtremalSpec` (`areas`, `preset`, `iterations`, `seed`, ...), `max_lanes` and
                `on_progress`.

        Raises:
            InvalidInput: there is no such option.
        """
        check_options(options)
        self.model = model
        self._options = options

    def __call__(
        self,
        input_tensor: Tensor,
        targets: Sequence[Callable[[Any], Any] | int] | None = None,
        aug_smooth: bool = False,
        eigen_smooth: bool = False,
    ) -> npt.NDArray[np.float32]:
        """Return the saliency of each image: the share of the areas whose mask covers a pixel.

        Args:
            input_tensor: B x 3 x H x W, preprocessed.
            targets: one for each image: a class index, one of pytorch-grad-cam's targets, or a function of the
                network's outputs that returns a score. None takes each image's top class.
            aug_smooth, eigen_smooth: False. Masks are smooth by themselves.

        Returns:
            B x H x W in [0, 1], float32.

        Raises:
            InvalidInput: an argument can't be used; the message says what to give.
            ModelUnavailable: no mask can be found by the network's gradient.
        """
        if aug_smooth or eigen_smooth:
            name = "aug_smooth" if aug_smooth else "eigen_smooth"
            raise InvalidInput(f"masks are smooth by themselves: leave {name} out", field=name)
        images = given_batch(input_tensor, field="input_tensor")
        chosen = [_target(one) for one in given_targets(targets, len(images), field="targets")]
        return saliency(self.model, images, chosen, self._options)[:, 0].numpy()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Release nothing: there are no hooks."""


def _target(target: Any) -> Target:
    if ClassifierOutputTarget is not None and type(target) is ClassifierOutputTarget:
        index: int = target.category  # images of class indices share a batch
        return index
    scored: Target = target
    return scored
