"""What is looked at before there is a job: its images are decoded, its parameters compared with what workers offer."""

from __future__ import annotations

from collections.abc import Sequence

from redis import Redis

from ep_core.channels.choice import check_counts, resolve_layer
from ep_core.errors import InvalidInput
from ep_core.image import read_image
from ep_core.spec import CompareSpec, ExtremalSpec, Spec
from ep_core.targets import resolve_target
from service.access.callers import Caller
from service.errors import InvalidFields
from service.models.service import find_model
from service.outbound import OutboundError, check_url
from service.settings import ApiSettings
from service.uploads.images import PostedImage, image_error, unusable
from service.uploads.limits import invalid
from service.uploads.metadata.strip import without_metadata
from service.uploads.options import JobOptions
from service.validation import MAX_ERRORS


def check_images(
    images: Sequence[PostedImage], *, max_pixels: int, keep_metadata: bool = False
) -> tuple[PostedImage, ...]:
    """Decode the images of a job; return them as they are to be stored, without metadata unless these shall be kept.

    Raises:
        UnreadableImage: the only one is not a single, whole picture.
        ImageTooLarge: it has more pixels than the limit.
        InvalidFields: some of several are one of these; each is named.
    """
    looked_at, wrong = [], []
    for k, image in enumerate(images):
        try:
            looked_at.append(_look_at(image, max_pixels=max_pixels, keep_metadata=keep_metadata))
        except InvalidInput as error:
            if len(images) == 1:
                raise
            wrong.append(image_error(error.detail, image=k, count=len(images), name=image.name))
    if wrong:
        raise InvalidFields(wrong[:MAX_ERRORS])
    return tuple(looked_at)


def sort_out(images: Sequence[PostedImage], *, max_pixels: int, keep_metadata: bool = False) -> tuple[PostedImage, ...]:
    """Decode the images of a batch; return them as `check_images` does.

    Those that can't be used come back with their problem, and without their bytes.
    """

    def look_at(image: PostedImage) -> PostedImage:
        try:
            return _look_at(image, max_pixels=max_pixels, keep_metadata=keep_metadata)
        except InvalidInput as error:
            return unusable(image.name, error)

    return tuple(image if image.problem else look_at(image) for image in images)


def _look_at(image: PostedImage, *, max_pixels: int, keep_metadata: bool) -> PostedImage:
    picture = read_image(image.data, max_pixels=max_pixels)
    return image if keep_metadata else image.stored_as(without_metadata(image.data, picture))


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
