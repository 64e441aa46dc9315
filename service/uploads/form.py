"""An upload as a multipart form: image files, and the parameters as JSON."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from ep_core.schemas.targets import TARGET_PARTS, check_pictures
from service.access.shares import Take
from service.http.errors import InvalidFields, UploadTooLarge
from service.http.validation import FieldError

from .images import PostedImage, clean_name, image_error, unusable
from .limits import (
    FRAMING_BYTES,
    MAX_PARAMS_BYTES,
    MORE_PARTS,
    SPOOL_BYTES,
    UploadLimits,
    invalid,
    limited,
    more_than,
    too_large,
    too_large_together,
    too_many,
)
from .options import JobOptions
from .upload import Upload, check_count, check_urls, parse_options, parse_params

_PARTS = ("image", "image_url", "params", *TARGET_PARTS, *JobOptions.model_fields)


async def read_form(request: Request, limits: UploadLimits, take: Take) -> Upload:
    """Read a form as it comes in; raises as `reader.read_upload`."""
    async with open_form(request, limits, names=_PARTS) as form:
        return await _from_form(form, limits, take)


@asynccontextmanager
async def open_form(request: Request, limits: UploadLimits, *, names: Sequence[str]) -> AsyncIterator[FormData]:
    """Give a form as it came in, with no other parts than `names`; raises as `reader.read_upload`."""
    parts = limits.images + MORE_PARTS
    most = limits.total_bytes + MAX_PARAMS_BYTES + parts * FRAMING_BYTES
    parser = MultiPartParser(
        request.headers,
        limited(request, most, too_large_together(limits)),
        max_files=parts,
        max_fields=parts,
        max_part_size=2 * MAX_PARAMS_BYTES,
    )
    parser.spool_max_size = SPOOL_BYTES
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if error.message.startswith("Too many files"):
            raise too_many(f"more than {parts}", limits) from error
        raise _unreadable(parser, error) from error
    except UnicodeError as error:  # of a charset that is no text's
        raise invalid("body", f"the multipart form can't be read: {error}") from error
    try:
        for name in form:
            if name not in names:
                raise invalid(clean_name(name), f"there is no such part; the parts are {', '.join(names)}")
        yield form
    finally:
        await form.close()


def _unreadable(parser: MultiPartParser, error: MultiPartException) -> InvalidFields | UploadTooLarge:
    """Return the error of a form that can't be parsed, of a part that is too long by its name."""
    name = clean_name(parser._current_part.field_name)
    if not error.message.startswith("Part exceeded"):
        return invalid("body", f"the multipart form can't be read: {error.message}")
    if name in ("image", *TARGET_PARTS):
        return _no_file(name)
    return too_large(FieldError(field=name, detail=more_than(MAX_PARAMS_BYTES)))


async def _from_form(form: FormData, limits: UploadLimits, take: Take) -> Upload:
    files = image_files(form)
    urls = check_urls(_texts(form, "image_url"), limits)
    if not files and not urls:
        raise no_image()
    params = parse_params(await _params_part(form))
    check_count(len(files) + len(urls), params, limits)
    target_files = _target_files(form, limits)
    check_pictures(params.target, target_files)
    beside = sum(file.size or 0 for file in target_files.values())
    wrong = oversized(files, limits, beside=beside)
    if wrong and not limits.is_batch:
        raise too_large(*wrong.values())
    await take(sum(file.size or 0 for file in files) + beside + limits.fetched_bytes(len(urls)))
    images = [
        unusable(_name(file), more_than(limits.image_bytes), too_large=True)
        if k in wrong
        else PostedImage(await file.read(), _name(file))
        for k, file in enumerate(files)
    ]
    options = parse_options(single_texts(form, JobOptions.model_fields))
    pictures = [PostedImage(await file.read(), _name(file)) for file in target_files.values()]
    return Upload(tuple(images), params, urls, options, target_picture=next(iter(pictures), None))


def _target_files(form: FormData, limits: UploadLimits) -> dict[str, UploadFile]:
    """Return the parts `target_image` and `target_mask` that there are.

    Raises:
        InvalidFields: one comes twice, or is no file.
        UploadTooLarge: one has more bytes than an image may have.
    """
    found: dict[str, UploadFile] = {}
    for name in TARGET_PARTS:
        parts = form.getlist(name)
        if len(parts) > 1:
            raise invalid(name, f"there are {len(parts)} parts {name}: send one")
        for part in parts:
            if not isinstance(part, UploadFile):
                raise _no_file(name)
            if (part.size or 0) > limits.image_bytes:
                raise too_large(FieldError(field=name, detail=more_than(limits.image_bytes)))
            found[name] = part
    return found


def no_image() -> InvalidFields:
    """Return the error of a form without an image."""
    return invalid("image", "the part is missing: send the image file as the part image")


def image_files(form: FormData) -> list[UploadFile]:
    """Return the parts `image`; raises `InvalidFields` where one is no file."""
    parts = form.getlist("image")
    files = [part for part in parts if isinstance(part, UploadFile)]
    if len(files) < len(parts):
        raise _no_file("image")
    return files


def _no_file(name: str) -> InvalidFields:
    detail = "the part must be a file, with a filename in its Content-Disposition: without one it is a text"
    return invalid(name, detail)


def _name(file: UploadFile) -> str:
    return clean_name(file.filename or "")


def oversized(files: Sequence[UploadFile], limits: UploadLimits, *, beside: int = 0) -> dict[int, FieldError]:
    """Return the errors of the images that are too large, by their place, before they are read to memory.

    Args:
        files: the images.
        limits: of one, and of all together.
        beside: bytes of other pictures that count with all together.

    Raises:
        UploadTooLarge: all together are too large.
    """
    sizes = [file.size or 0 for file in files]
    if beside + sum(size for size in sizes if size <= limits.image_bytes) > limits.total_bytes:
        raise too_large_together(limits)
    return {
        k: image_error(more_than(limits.image_bytes), image=k, count=len(files), name=file.filename or "")
        for k, file in enumerate(files)
        if sizes[k] > limits.image_bytes
    }


async def _params_part(form: FormData) -> bytes:
    parts = form.getlist("params")
    if len(parts) > 1:
        raise invalid("params", f"there are {len(parts)} parts params: send one JSON object")
    data = b"".join(
        [await part.read() if isinstance(part, UploadFile) else part.encode(errors="replace") for part in parts]
    )
    if len(data) > MAX_PARAMS_BYTES:
        raise too_large(FieldError(field="params", detail=more_than(MAX_PARAMS_BYTES)))
    return data


def single_texts(form: FormData, names: Iterable[str]) -> dict[str, str]:
    """Return the text parts of these names that there are; raises `InvalidFields` where one comes twice."""
    given: dict[str, str] = {}
    for name in names:
        texts = _texts(form, name)
        if len(texts) > 1:
            raise invalid(name, f"there are {len(texts)} parts {name}: send one")
        if texts:
            given[name] = texts[0]
    return given


def _texts(form: FormData, name: str) -> list[str]:
    parts = form.getlist(name)
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) < len(parts):
        raise InvalidFields([FieldError(field=name, detail="the part must be a text, not a file")])
    return texts
