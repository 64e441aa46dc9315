"""Explanations of images, and any task run from its spec: the functions that compose the engine's rooms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pkgutil import resolve_name
from typing import Any, TypeAlias

from PIL import Image

from ep_core.channels.attribution import explain_channels
from ep_core.channels.class_channels import class_channels
from ep_core.compare.run import compare
from ep_core.extremal.explanation import Explanation
from ep_core.extremal.sweep import AnySpec, sweep
from ep_core.methods.base.quick_rivals import quick_rivals
from ep_core.models.arguments import AnyModel
from ep_core.models.classifier import Classifier
from ep_core.optimiser.solver import Runner
from ep_core.pictures.given_image import AnyImage
from ep_core.pictures.progress_bar import progress_shown
from ep_core.schemas.finite import require_finite_report
from ep_core.schemas.progress import OnProgress
from ep_core.schemas.specs import ChannelsSpec, ClassChannelsSpec, CompareSpec, ExtremalSpec
from ep_core.schemas.tasks import Outcome, Spec, task_of

Names: TypeAlias = Sequence[str] | None


def explain(
    model: AnyModel,
    image: AnyImage,
    spec: AnySpec | None = None,
    *,
    on_progress: OnProgress | None = None,
    show_progress: bool | None = None,
    max_lanes: int | None = None,
    target_picture: AnyImage | None = None,
    runner: Runner | None = None,
) -> Explanation:
    """Find the extremal perturbations of an image (section 3): one mask per area, each with its scores.

    The network is left as it was found (mode, gradients), also after an error. What `on_progress` raises passes through
    and ends the run.

    Args:
        model: the classifier; a bare network and a name will do (`AnyModel`).
        image: a picture in any form, or a 1 x 3 x H x W tensor that is already preprocessed (`AnyImage`).
        spec: what to find, or a dict of that; None takes the defaults. Its `model` is ignored: the model is the
            one given.
        on_progress: called after every round of steps, and as a stage begins.
        show_progress: whether to draw a progress bar; None: in a notebook.
        max_lanes: masks stepped in one batch, at most (None: 16 on a CPU, 128 on a GPU). Halved where memory runs out.
        target_picture: the target's own picture, `target_image` or `target_mask`: as for `image`, a mask no tensor.
        runner: steps the masks, beside those of other threads where it is a `Resident` one; None: by themselves.

    Raises:
        InvalidInput: the target is no class of the model, the frame is too small, or what is given has a wrong type,
            shape or value; raised before any work.
        UnreadableImage, ImageTooLarge: the picture can't be decoded.
        NotFinite: the target's scores are NaN or infinite under this perturbation.
    """
    batch = explain_batch(
        model,
        [image],
        spec,
        on_progress=on_progress,
        show_progress=show_progress,
        max_lanes=max_lanes,
        target_picture=target_picture,
        runner=runner,
    )
    return batch[0]


def explain_batch(
    model: AnyModel,
    images: Iterable[AnyImage],
    specs: AnySpec | Sequence[AnySpec] | None = None,
    *,
    on_progress: OnProgress | None = None,
    show_progress: bool | None = None,
    max_lanes: int | None = None,
    target_picture: AnyImage | None = None,
    runner: Runner | None = None,
) -> list[Explanation]:
    """Explain many images together, the masks of all of them in one batch: see `explain`.

    An image's masks don't depend on its company. On a CPU they are the same to the bit as alone (tested for
    `mobilenet_v2`); where a library computes another batch size in another order, they differ as they do from one
    machine to the next: in the last bits of a step, from which an optimisation can end elsewhere.

    Args:
        model: as for `explain`.
        images: as for `explain`; their frames may differ in size.
        specs: what to find, one for all images or one for each; None takes the defaults.
        on_progress: called after every round of steps, and as a stage begins.
        show_progress: as for `explain`: one bar for all images.
        max_lanes: masks stepped in one batch, at most. Memory grows with it, not with the number of images.
        target_picture: the target's own picture (`target_image` or `target_mask`): one for all images.
        runner: as for `explain`.

    Returns:
        One explanation per image, in their order. Its `timing.run_s` is the image's share of the whole.

    Raises:
        InvalidInput: as for `explain`, or there isn't one spec per image. Raised before any work; a note on the error
            names the image.
    """
    with progress_shown("explaining", on_progress, show=show_progress) as tell:
        return sweep(
            model,
            images,
            specs,
            rivals=quick_rivals,
            on_progress=tell,
            max_lanes=max_lanes,
            target_picture=target_picture,
            runner=runner,
        )


def run_task(
    model: Classifier,
    images: Sequence[Image.Image],
    spec: Spec,
    *,
    names: Sequence[str] | None = None,
    on_progress: OnProgress | None = None,
    max_lanes: int | None = None,
    target_picture: AnyImage | None = None,
    runner: Runner | None = None,
) -> Outcome:
    """Run a task; raises what the function that answers it raises, and `NotFinite` where a number of its report isn't.

    Args:
        model: the classifier.
        images: as many as the task takes (`Task.images`).
        spec: the task.
        names: of the images, for the report.
        on_progress: called after every round of steps, and as a stage begins.
        max_lanes: masks stepped in one batch, at most.
        target_picture: the target's own picture (`target_image` or `target_mask`).
        runner: steps spatial masks; those of channels are stepped by themselves.
    """
    run = resolve_name(task_of(spec).run)
    outcome: Outcome = run(
        model,
        images,
        spec,
        names=names,
        on_progress=on_progress,
        max_lanes=max_lanes,
        target_picture=target_picture,
        runner=runner,
    )
    require_finite_report(outcome.report)
    return outcome


def run_extremal(
    model: Classifier, images: Sequence[Image.Image], spec: ExtremalSpec, *, names: Names, **how: Any
) -> Outcome:
    """Run the task `extremal`; arguments as for `run_task`."""
    (image,) = images
    found = explain(model, image, spec, **how)
    return Outcome(found.report(), found.files())


def run_channels(
    model: Classifier,
    images: Sequence[Image.Image],
    spec: ChannelsSpec,
    *,
    names: Names,
    runner: Runner | None,
    **how: Any,
) -> Outcome:
    """Run the task `channels`; arguments as for `run_task`."""
    (image,) = images
    found = explain_channels(model, image, spec, **how)
    return Outcome(found.report(), found.files())


def run_class_channels(
    model: Classifier,
    images: Sequence[Image.Image],
    spec: ClassChannelsSpec,
    *,
    names: Names,
    runner: Runner | None,
    **how: Any,
) -> Outcome:
    """Run the task `class_channels`; arguments as for `run_task`."""
    found = class_channels(model, images, spec, names=names, **how)
    return Outcome(found.report(), found.files())


def run_compare(
    model: Classifier, images: Sequence[Image.Image], spec: CompareSpec, *, names: Names, **how: Any
) -> Outcome:
    """Run the task `compare`; arguments as for `run_task`."""
    (image,) = images
    found = compare(model, image, spec, **how)
    return Outcome(found.report(), found.files())
