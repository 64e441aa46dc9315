"""What is looked at before there is a job: its images are decoded, its parameters compared with what workers offer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from redis import Redis

from ep_core.channels.choice import check_counts, resolve_layer
from ep_core.errors import ImageTooLarge, InvalidInput
from ep_core.spec import CompareSpec, ExtremalSpec, Spec
from ep_core.targets import resolve_target
from service.access.callers import Caller
from service.decoding.decoders import Decoders
from service.errors import InvalidFields
from service.models.service import find_model
from service.outbound import OutboundError, check_url
from service.settings import ApiSettings
from service.uploads.images import PostedImage, image_error, unusable
from service.uploads.limits import invalid
from service.uploads.options import JobOptions
from service.validation import MAX_ERRORS


async def check_images(
    images: Sequence[PostedImage], decoders: Decoders, *, who: str, most_pixels: int
) -> tuple[PostedImage, ...]:
    """Return the images of a job, all of which can be decoded.

    Args:
        images: what was posted.
        decoders: what decodes them.
        who: the caller.
        most_pixels: of all images together.

    Raises:
        UnreadableImage: the only one is not a single, whole picture.
        ImageTooLarge: it has more pixels than the limit.
        InvalidFields: some of several are one of these; each is named.
        TooManyAtOnce, Unavailable: as `Decoders.check`.
    """
    wrong = []
    async for k, error in _decoded(images, decoders, who=who, most_pixels=most_pixels):
        if error is not None and len(images) == 1:
            raise error
        if error is not None:
            wrong.append(image_error(error.detail, image=k, count=len(images), name=images[k].name))
    if wrong:
        raise InvalidFields(wrong[:MAX_ERRORS])
    return tuple(images)


async def sort_out(
    images: Sequence[PostedImage], decoders: Decoders, *, who: str, most_pixels: int
) -> tuple[PostedImage, ...]:
    """Return the images of a batch; those that can't be decoded with their problem, and without their bytes.

    Args and further errors are those of `check_images`.
    """
    looked_at = []
    async for k, error in _decoded(images, decoders, who=who, most_pixels=most_pixels):
        looked_at.append(images[k] if error is None else unusable(images[k].name, error))
    return tuple(looked_at)


async def _decoded(
    images: Sequence[PostedImage], decoders: Decoders, *, who: str, most_pixels: int
) -> AsyncIterator[tuple[int, InvalidInput | None]]:
    """Decode images one after the other, and yield what is wrong with each; none once there are too many pixels."""
    pixels = 0
    for k, image in enumerate(images):
        if image.problem is not None:
            yield k, None
        elif pixels > most_pixels:
            yield k, ImageTooLarge(_TOGETHER.format(most_pixels))
        else:
            try:
                pixels += await decoders.check(image.data, who=who)
            except InvalidInput as error:
                yield k, error
            else:
                yield k, ImageTooLarge(_TOGETHER.format(most_pixels)) if pixels > most_pixels else None


_TOGETHER = "all images together have more than the {} pixels that are decoded for one request: post fewer at once"


def check_params(redis: Redis, params: Spec) -> None:
    """Compare the model, the target and the layer with what the workers offer.

    Raises:
        Unavailable: no worker has ever said what it offers.
        UnknownName: no such model, layer, or class of that label.
        InvalidInput: the target isn't one of the model's classes, or several carry that label; or the layer has
            fewer channels.
    """
    card = find_model(redis, params.model)
    if params.target is not None:
        resolve_target(params.target, card.labels)
    if isinstance(params, ExtremalSpec) or card.layers is None:  # else the worker finds out
        return
    if isinstance(params, CompareSpec) and params.layer is None:
        return
    layer = resolve_layer(params.layer, card.layers, model=card.name, input_size=card.input_size)
    if not isinstance(params, CompareSpec):
        check_counts(params.areas, layer)


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
