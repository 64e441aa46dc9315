"""captum's interface: extremal perturbations as one of its perturbation methods.

>>> from ep_core.adapters.captum import ExtremalPerturbation
>>> attributions = ExtremalPerturbation(network).attribute(x, target=295)  # N x 3 x H x W -> N x 3 x H x W
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.progress import Progress as Bar
from torch import Tensor

from ep_core.errors import InvalidInput
from ep_core.models.checks.normalisation import PerChannel
from ep_core.models.classifier import Classifier
from ep_core.schemas.progress import OnProgress, Progress

from .arguments import check_options, given_batch, given_targets
from .forward import alike, as_network, given_extra, rows
from .saliency import Target, saliency

try:
    from captum.attr import PerturbationAttribution
    from captum.log import log_usage
except ImportError:
    PerturbationAttribution = object

    def log_usage() -> Callable[..., Any]:
        """Return a decorator that changes nothing."""
        return lambda method: method


class ExtremalPerturbation(PerturbationAttribution):
    """Extremal perturbations (Fong, Patrick, Vedaldi, ICCV 2019): masks that keep the target's score highest.

    The network is left as it was found: mode, gradients, hooks. A forward function that isn't a module runs as it is.
    """

    def __init__(self, forward_func: Callable[..., Any] | Classifier, **options: Any) -> None:
        """Take what is explained.

        Args:
            forward_func: a module, or any function of N x 3 x H x W and `additional_forward_args`. An
                `ep_core.Classifier` will do, too.
            options: fields of `ep_core.ExtremalSpec` (`areas`, `preset`, `iterations`, `seed`, ...), `max_lanes` and
                `on_progress`; `attribute` takes the same.

        Raises:
            InvalidInput: there is no such option.
        """
        check_options(options)
        self.forward_func = forward_func
        self._options = options

    @property
    def multiplies_by_inputs(self) -> bool:
        """False: attributions are no products with the inputs."""
        return False

    @log_usage()  # wraps it, as captum's NoiseTunnel expects
    def attribute(
        self,
        inputs: Tensor | tuple[Tensor],
        baselines: Any = None,
        target: Any = None,
        additional_forward_args: Any = None,
        show_progress: bool = False,
        **options: Any,
    ) -> Tensor | tuple[Tensor]:
        """Return the saliency of each image: the share of the areas whose mask covers a pixel.

        Args:
            inputs: N x C x H x W, C being 3 for RGB, preprocessed; or a tuple of that alone.
            baselines: where the image fades to outside its mask: a number, or a tensor of one value per channel,
                as 1 x 3 x 1 x 1. None blurs instead.
            target: class index, for all images or a list or tensor of one for each. For outputs of more dimensions, a
                tuple that selects a score, or a list of them. None for a network of one score.
            additional_forward_args: further arguments of the function, one or a tuple of them. Tensors have a row for
                each image, which is then explained by itself.
            show_progress: whether to show a bar.
            options: as for the class, and before those.

        Returns:
            As `inputs`, of their type and device: N x C x H x W in [0, 1], the same for all channels.

        Raises:
            InvalidInput: an argument can't be used; the message says what to give.
            ModelUnavailable: no mask can be found by the network's gradient.
        """
        images = given_batch(_single(inputs, "inputs"), field="inputs")
        options = self._options | options
        black = _black(_single(baselines, "baselines"), images)
        if black is not None and options.setdefault("perturbation", "fade") != "fade":
            raise InvalidInput("baselines are what an image fades to: leave them out for a blur", field="baselines")
        targets = _given_targets(target, len(images))
        extra = given_extra(additional_forward_args, len(images))
        maps = images.new_zeros(len(images), 1, *images.shape[2:])
        with _bar(show_progress) as on_progress:
            options.setdefault("on_progress", on_progress)
            for places in alike(extra, len(images)):
                network = as_network(self.forward_func, rows(extra, places), images.device)
                chosen = [targets[k] for k in places]
                maps[places] = saliency(network, images[places], chosen, options, black=black, is_batched=True).to(maps)
        attributions = maps.expand_as(images).clone()
        return (attributions,) if isinstance(inputs, tuple) else attributions


def _single(value: Any, field: str) -> Any:
    if not isinstance(value, tuple):
        return value
    if len(value) != 1:
        raise InvalidInput(
            f"{field} is for one tensor of images, not {len(value)}: give others as additional_forward_args",
            field=field,
        )
    return value[0]


def _black(baselines: Any, images: Tensor) -> PerChannel | None:
    """Return the values of the channels that images fade to; None for a blur."""
    if baselines is None:
        return None
    if isinstance(baselines, int | float):
        return (float(baselines),) * images.shape[1]
    colour = _colour(baselines, images) if isinstance(baselines, Tensor) else None
    if colour is None:
        raise InvalidInput(
            "an image fades to one colour, not to values that differ between pixels or images: as baselines give a "
            "number or a tensor of one value per channel (1 x 3 x 1 x 1), or None for a blur",
            field="baselines",
        )
    return colour


def _colour(baselines: Tensor, images: Tensor) -> PerChannel | None:
    """Return the one colour of a tensor that broadcasts to N x 3 x H x W; None where there is none."""
    try:
        everywhere = baselines.detach().broadcast_to(images.shape)
    except RuntimeError:
        return None
    colour = tuple(map(float, everywhere[0, :, 0, 0].tolist()))
    same = everywhere == everywhere[:1, :, :1, :1]
    return colour if same.all() else None


def _given_targets(target: Any, count: int) -> list[Target]:
    """Return captum's targets as class indices and functions of the outputs."""
    scored = [_scored(one) for one in target] if isinstance(target, list) else _scored(target)
    return given_targets(scored, count, field="target")


def _scored(target: Any) -> Any:
    if isinstance(target, tuple):
        return lambda outputs: outputs[(slice(None), *target)]
    return _only_score if target is None else target


def _only_score(outputs: Tensor) -> Tensor:
    if outputs.numel() != len(outputs):
        shape = " x ".join(map(str, ("N", *outputs.shape[1:])))
        raise InvalidInput(f"the outputs are {shape}, not one score for each image: give a target", field="target")
    return outputs.reshape(-1)


@contextmanager
def _bar(shown: bool) -> Iterator[OnProgress | None]:
    """Give what shows progress as a bar; None where none is wanted."""
    if not shown:
        yield None
        return
    with Bar() as bar:
        task = bar.add_task(ExtremalPerturbation.__name__)

        def show(progress: Progress) -> None:
            bar.update(task, completed=progress.iteration, total=progress.total)

        yield show
