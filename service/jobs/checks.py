"""Checks before a job is made: its images are decoded, its parameters compared with what workers offer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeAlias

from redis import Redis

from ep_core.errors import ImageTooLarge, InvalidInput
from ep_core.masks.cells import check_frame
from ep_core.models.named_layer import check_counts, has_known_defaults, resolve_layer
from ep_core.schemas.model_card import ListedLayer
from ep_core.schemas.perturbations import check_perturbation
from ep_core.schemas.targets import check_common, check_mask_size, check_target, picture_of
from ep_core.schemas.tasks import Spec, task_of
from service.access.caller import Caller
from service.decoding.decoders import Checked
from service.http.errors import InvalidFields
from service.http.validation import MAX_ERRORS, FieldError
from service.models.service import find_model
from service.outbound.requests import OutboundError, check_url
from service.settings import ApiSettings
from service.uploads.images import PostedImage, image_error, unusable
from service.uploads.limits import invalid
from service.uploads.options import JobOptions
from service.uploads.upload import Upload

Decode: TypeAlias = Callable[[bytes], Awaitable[Checked]]
_TOGETHER = "all images together have more than the {} pixels that are decoded for one request: post fewer at once"


async def check_images(images: Sequence[PostedImage], decode: Decode, *, most_pixels: int) -> tuple[PostedImage, ...]:
    """Decode the images of a job; return them as they are to be stored.

    Args:
        images: what was posted.
        decode: decodes one.
        most_pixels: of all images together.

    Raises:
        UnreadableImage: the only one is not a single, whole picture.
        ImageTooLarge: it has more pixels than the limit.
        InvalidFields: some of several are one of these; each is named.
        TooManyAtOnce, Unavailable: as `Decoders.check`.
    """
    decoded: list[PostedImage] = []
    wrong: list[FieldError] = []
    async for image, found in _decoded(images, decode, most_pixels):
        if isinstance(found, PostedImage):
            decoded.append(found)
        elif len(images) == 1:
            raise found
        else:
            k = len(decoded) + len(wrong)
            wrong.append(image_error(found.detail, image=k, count=len(images), name=image.name))
    if wrong:
        raise InvalidFields(wrong[:MAX_ERRORS])
    return tuple(decoded)


async def sort_out(images: Sequence[PostedImage], decode: Decode, *, most_pixels: int) -> tuple[PostedImage, ...]:
    """Decode the images of a batch; return them as `check_images` does.

    Those that can't be used come back with their problem, and without their bytes.
    """
    return tuple(
        [
            found if isinstance(found, PostedImage) else unusable(image.name, found)
            async for image, found in _decoded(images, decode, most_pixels)
        ]
    )


async def check_target_picture(upload: Upload, decode: Decode, *, most_pixels: int) -> tuple[PostedImage | None, int]:
    """Decode the target's own picture; return it as it is to be stored, and how many pixels are left for the images.

    Args:
        upload: with the picture, or without.
        decode: decodes it as one of the images, whatever their white level.
        most_pixels: of all pictures together.

    Raises:
        UnreadableImage, ImageTooLarge, TooManyAtOnce, Unavailable: as for `check_images`; `field` is the part.
    """
    if upload.target_picture is None:
        return None, most_pixels
    ((_, found),) = [one async for one in _decoded([upload.target_picture], decode, most_pixels)]
    if isinstance(found, InvalidInput):
        found.field = picture_of(upload.params.target)
        raise found
    return found, most_pixels - found.size[0] * found.size[1]


def check_mask(params: Spec, mask: PostedImage | None, images: Sequence[PostedImage]) -> None:
    """Compare the size of a target's region with those of the images; of a batch, those that can be used.

    Raises:
        InvalidInput: one is of another size.
    """
    if mask is None or picture_of(params.target) != "target_mask":
        return
    for image in images:
        if image.problem is None:
            check_mask_size(mask.size, image.size)


async def _decoded(
    images: Sequence[PostedImage], decode: Decode, most_pixels: int
) -> AsyncIterator[tuple[PostedImage, PostedImage | InvalidInput]]:
    """Decode images one after the other, and yield each with what it became, or what is wrong with it.

    None is decoded once they have too many pixels together.
    """
    pixels = 0
    for image in images:
        if image.problem is not None:
            yield image, image
            continue
        found: PostedImage | InvalidInput = ImageTooLarge(_TOGETHER.format(most_pixels))
        if pixels <= most_pixels:
            try:
                checked = await decode(image.data)
            except InvalidInput as error:
                found = error
            else:
                pixels += checked.size[0] * checked.size[1]
                found = image.looked_at(checked.data, checked.size) if pixels <= most_pixels else found
        yield image, found


def check_params(redis: Redis, params: Spec) -> None:
    """Compare the model, its frame, the target and the layer with what the workers offer.

    Raises:
        Unavailable: no worker has published its models yet.
        UnknownName: no such model, layer, or class of that label.
        InvalidInput: the target isn't one of the model's classes, or several carry that label; or the layer has
            fewer channels; or the model's frame is too small for masks, or it takes no such perturbation; or the target
            is at a place of one image, and the task is about several.
    """
    card = find_model(redis, params.model)
    check_target(params.target, card.labels, kinds=card.targets, model=card.name)
    task = task_of(params)
    if task.takes_several:
        check_common(params.target)
    if task.has_spatial_masks:
        check_frame(card.input_size, field="model")
        if card.perturbations is not None:  # else the worker finds out
            check_perturbation(getattr(params, "perturbation", None), card.perturbations, model=card.name)
    if task.layer is not None and card.layers is not None:  # else the worker finds out
        _check_layer(params, card.layers, model=card.name, is_masked=task.layer == "masked")


def _check_layer(params: Spec, layers: Sequence[ListedLayer], *, model: str, is_masked: bool) -> None:
    named = getattr(params, "layer", None)
    if named is None and not (is_masked and has_known_defaults(layers)):
        return
    layer = resolve_layer(named, layers, model=model)
    if is_masked:
        check_counts(getattr(params, "areas", None), layer)


def check_options(options: JobOptions, caller: Caller, settings: ApiSettings) -> JobOptions:
    """Look whether a webhook could be sent, and return it normalised; its host is looked up when it is sent.

    Raises:
        InvalidFields: its address can't be used, or there is nothing to sign it with.
    """
    if options.webhook is None:
        return options
    if caller.webhook_secret is None:
        raise invalid(
            "webhook",
            "no webhooks are sent here: there is no secret to sign them (the operator sets EP_WEBHOOK_SECRET)",
        )
    try:
        url = check_url(options.webhook, allow_private=settings.allow_private_urls)
    except OutboundError as error:
        raise invalid("webhook", str(error)) from error
    return options.model_copy(update={"webhook": url})
