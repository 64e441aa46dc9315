"""Per-class channels over files, resumable: the result of each image is kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image

from ep_core.errors import InvalidInput
from ep_core.models import Classifier, load_model
from ep_core.models.targets import given_target
from ep_core.pictures.decoding import read_with_level
from ep_core.pictures.result_folder import picture_digest, result_key, write_whole
from ep_core.schemas.progress import OnProgress
from ep_core.schemas.specs import ClassChannelsSpec
from ep_core.schemas.warnings import ResultWarning

from .class_channels import ClassExplanation, class_channels, common_class
from .image_channels import ImageChannels

KEPT = "images"  # the folder of what is done, inside the folder of the results


def explain_folder(
    paths: Sequence[Path],
    out: Path,
    spec: ClassChannelsSpec,
    *,
    models_file: Path | None = None,
    device: str | None = None,
    on_progress: OnProgress | None = None,
    target_picture: Path | None = None,
) -> ClassExplanation:
    """Find a class's channels over photographs; see `class_channels`.

    The result of each image is written to ``out/images`` as soon as it is known. An image is known by its bytes, the
    model's weights, the request and the version: a second call with the same resumes the first one.

    Args:
        paths: of the photographs.
        out: folder of the results.
        spec: what to find.
        models_file: the operator's model list.
        device: where the model lives.
        on_progress: called after every round of steps.
        target_picture: the file of the target's own picture.

    Raises:
        InvalidInput: as for `class_channels`; of all files that are no pictures, each is named.
    """
    data = [path.read_bytes() for path in paths]
    pictures = _pictures(paths, data, spec.white_level)
    model = load_model(spec.model, models_file=models_file, device=device)
    if spec.target is None:  # before the keys: it depends on all images
        given_target(model, spec, None, target_picture)
        with model.frozen() as network:
            spec = spec.model_copy(update={"target": common_class(model, network, pictures, spec)})
    beside = picture_digest(target_picture)
    keys = [out / KEPT / f"{_key(model, spec, bytes_, beside)}.json" for bytes_ in data]
    known = {k: _read(key, paths[k].name) for k, key in enumerate(keys) if key.exists()}
    return class_channels(
        model,
        pictures,
        spec,
        names=[path.name for path in paths],
        known=known,
        on_image=lambda k, one: _write(keys[k], one),
        on_progress=on_progress,
        target_picture=target_picture,
    )


def _pictures(paths: Sequence[Path], data: Sequence[bytes], white_level: int | None) -> list[Image.Image]:
    pictures, wrong = [], []
    for path, bytes_ in zip(paths, data, strict=True):
        try:
            pictures.append(read_with_level(bytes_, white_level))
        except InvalidInput as error:
            wrong.append(f"{path}: {error.detail}")
    if wrong:
        raise InvalidInput("; ".join(wrong), field="image")
    return pictures


def _key(model: Classifier, spec: ClassChannelsSpec, data: bytes, beside: str) -> str:
    asked = spec.model_dump_json(exclude={"top", "invert", "seed"}) + beside
    return result_key(data, model_digest=model.digest, asked=asked)[:32]


def _write(path: Path, one: ImageChannels) -> None:
    names = ("original", "probability", "optimal_area", "threshold_rule")
    fields = {name: getattr(one, name) for name in names}
    fields["warnings"] = [warning.model_dump() for warning in one.warnings]
    tensors = {"mask": one.mask.tolist(), "excitement": one.excitement.tolist()}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(fields | tensors))


def _read(path: Path, name: str) -> ImageChannels:
    fields = json.loads(path.read_text())
    mask, excitement = (torch.tensor(fields.pop(key)) for key in ("mask", "excitement"))
    warnings = tuple(ResultWarning.model_validate(one) for one in fields.pop("warnings"))
    return ImageChannels(name=name, mask=mask, excitement=excitement, warnings=warnings, **fields)
