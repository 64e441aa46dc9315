"""timm's classifiers, where the extra `timm` is installed: their names and metadata. Loads no weights."""

from __future__ import annotations

from typing import Any

from ep_core.errors import ModelUnavailable

from .torchvision_zoo import imagenet_labels, unknown_model


def require_timm() -> Any:
    """Return the module `timm`.

    Raises:
        ModelUnavailable: it isn't installed.
    """
    try:
        import timm
        import timm.data
    except ImportError as error:
        raise ModelUnavailable(
            "timm models need the extra `timm`: pip install 'extremal-perturbations[timm]'"
        ) from error
    return timm


def pretrained_config(name: str) -> dict[str, Any]:
    """Return timm's description (a ``pretrained_cfg``) of one of its models, such as ``resnet18.a1_in1k``.

    Raises:
        UnknownName: timm has no such model.
        ModelUnavailable: timm isn't installed.
    """
    timm = require_timm()
    try:
        config = timm.get_pretrained_cfg(name)
    except RuntimeError:  # a known network, but no such weights of it
        config = None
    if config is None:
        prefixed = tuple(f"timm:{known}" for known in timm.list_models() + timm.list_pretrained())
        raise unknown_model(f"timm:{name}", prefixed)
    described: dict[str, Any] = config.to_dict()
    return described


def class_labels(num_classes: int) -> tuple[str, ...]:
    """Return the labels that a number of classes stands for in timm; none where it stands for no known classes.

    The 1000 classes of ImageNet get torchvision's short names, so that a target means the same for all networks.
    """
    if num_classes == 1000:
        return imagenet_labels()
    data = require_timm().data
    subset = data.infer_imagenet_subset({"num_classes": num_classes})
    if subset is None:
        return ()
    return tuple(data.ImageNetInfo(subset).label_descriptions())
