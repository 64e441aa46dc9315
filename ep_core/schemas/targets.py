"""Targets: from indices, labels and WordNet ids to class indices."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from operator import index
from typing import SupportsIndex

from ep_core.errors import InvalidInput, UnknownName

from .imagenet import synset_index
from .model_card import TargetKind
from .specs.target import BoxTarget, ClassContrast, SegmentTarget, SimilarTarget, Target, TextTarget

MAX_SUGGESTIONS = 5
ALIKE = 0.6  # of the letters
_WORD = re.compile(r"\w{3,}")
AT_A_PLACE: frozenset[TargetKind] = frozenset({"box", "segment"})
"""Kinds of target whose score depends on the image that is explained."""
_LACKS: dict[TargetKind, str] = {
    "class": "has no classes: {instead}",
    "contrast": "has no classes: {instead}",
    "text": "doesn't compare images with texts: {instead}, or choose a model that does, such as a CLIP",
    "box": "detects no objects: {instead}, or choose a detector",
    "segment": "segments nothing: {instead}, or choose a segmenter",
    "similar": "gives no embeddings: {instead}, or choose a model that does, such as a CLIP",
}
TARGET_PARTS = ("target_image", "target_mask")
"""Names of the parts that hold a target's second picture."""
_USES = {
    "target_image": '{"similar_to": "target_image"}',
    "target_mask": '{"segment": "dog", "within": "target_mask"}',
}
"""Targets that use them, for messages."""
_SEND_LIKENESS = 'send a second picture as target_image, with "target": {"similar_to": "target_image"}'


def kind_of(target: Target) -> TargetKind:
    """Return the kind of a target; that of None, the top class, is a class."""
    kinds: dict[type, TargetKind] = {
        ClassContrast: "contrast",
        TextTarget: "text",
        BoxTarget: "box",
        SegmentTarget: "segment",
        SimilarTarget: "similar",
    }
    return kinds.get(type(target), "class")


def picture_of(target: Target) -> str | None:
    """Return the part that holds a target's second picture, ``target_image`` or ``target_mask``; None for no such."""
    if isinstance(target, SimilarTarget):
        return target.similar_to
    return "target_mask" if isinstance(target, SegmentTarget) and target.within == "target_mask" else None


def check_target(target: Target, labels: Sequence[str], *, kinds: Sequence[TargetKind], model: str) -> None:
    """Refuse a target that a model doesn't have; None is any model's top class.

    Args:
        target: the one that is asked for.
        labels: the model's class labels, one per class.
        kinds: of the targets that the model takes.
        model: its name, for the message.

    Raises:
        InvalidInput, UnknownName: as `resolve_target` and `resolve_contrast`, or the model takes none of this kind.
    """
    kind = kind_of(target)
    if kind not in kinds:
        instead = "name a class" if "class" in kinds else _SEND_LIKENESS
        raise InvalidInput(f"model {model!r} {_LACKS[kind].format(instead=instead)}", field="target")
    if isinstance(target, TextTarget):
        _check_texts(target)
    elif isinstance(target, ClassContrast):
        resolve_contrast(target, labels)
    elif isinstance(target, BoxTarget | SegmentTarget):
        name = target.label if isinstance(target, BoxTarget) else target.segment
        if name is not None:
            resolve_target(name, labels)
    elif isinstance(target, int | str):
        resolve_target(target, labels)


def check_common(target: Target) -> None:
    """Refuse a target that several images can't have in common.

    Raises:
        InvalidInput: it is at a place of one image.
    """
    if kind_of(target) in AT_A_PLACE:
        raise InvalidInput(
            "a box or a segment is at a place of one image, and this is about several: name a class", field="target"
        )


def _check_texts(target: TextTarget) -> None:
    if len({target.text, *target.against}) <= len(target.against):
        raise InvalidInput("a text against itself: give other texts, each once", field="target")


def resolve_contrast(target: ClassContrast, labels: Sequence[str]) -> tuple[int, int]:
    """Return the indices of a contrast's two classes.

    Raises:
        InvalidInput, UnknownName: as `resolve_target`, or both are the same class.
    """
    wanted, rival = (resolve_target(one, labels) for one in (target.class_, target.instead_of))
    if wanted == rival:
        raise InvalidInput(f"a class instead of itself ({labels[wanted]!r}): name two classes", field="target")
    return wanted, rival


def check_pictures(target: Target, given: Iterable[str]) -> None:
    """Refuse second pictures that a target doesn't use, and a target whose second picture isn't given.

    Args:
        target: the one that is asked for.
        given: names of the parts that are there.

    Raises:
        InvalidInput: so it is; `field` is the part.
    """
    needed, given = picture_of(target), set(given)
    for name in sorted(given - {needed}):
        use = f'"target": {_USES[name]}' if name in _USES else " or ".join(_USES.values())
        raise InvalidInput(f"{name} is not used by this target: leave it out, or ask for {use}", field=name)
    if needed is not None and needed not in given:
        raise InvalidInput(f"{needed} is missing: the target is about this picture, so send it, too", field=needed)


def check_mask_size(mask: tuple[int, int], image: tuple[int, int]) -> None:
    """Refuse a region's picture that isn't as large as the image; sizes are width and height, in pixels.

    Raises:
        InvalidInput: so it is.
    """
    if mask != image:
        raise InvalidInput(
            f"target_mask is a picture as large as the image, {image[0]} x {image[1]} pixels, white where the region "
            f"is; this one is {mask[0]} x {mask[1]}",
            field="target_mask",
        )


def resolve_target(target: SupportsIndex | str, labels: Sequence[str]) -> int:
    """Return the class index that `target` names.

    Args:
        target: a class index in ``[0, len(labels))``, also numpy's or a tensor's; a label, compared exactly but for
            case and outer blanks; or the WordNet id of a class, such as ``"n02133161"``, where the classes are the 1000
            of ImageNet.
        labels: the model's class labels, one per class.

    Raises:
        InvalidInput: it is neither, the index is outside the classes, or several classes carry this label.
        UnknownName: no class has this label; the error carries the nearest labels.
    """
    if not isinstance(target, str):
        place = _index(target)
        if not 0 <= place < len(labels):
            raise InvalidInput(f"target {place} is not a class: use 0 to {len(labels) - 1}", field="target")
        return place
    wanted = target.strip().casefold()
    matches = [place for place, label in enumerate(labels) if label.strip().casefold() == wanted]
    if len(matches) > 1:
        raise InvalidInput(
            f"{len(matches)} classes are called {target!r}: use one of the indices {matches}", field="target"
        )
    if not matches and (found := synset_index(wanted, labels)) is not None:
        return found
    if not matches:
        nearest = nearest_names(target, labels)
        hint = f"; did you mean {', '.join(map(repr, nearest))}?" if nearest else ""
        if wanted.isdecimal() and int(wanted) < len(labels):
            hint = f': a class index is a number, not a text, as in "target": {int(wanted)}'
        raise UnknownName(f"no class is called {target!r}{hint}", field="target", nearest=nearest)
    return matches[0]


def _index(target: SupportsIndex) -> int:
    try:
        if not isinstance(target, bool):
            return index(target)
    except TypeError:
        pass
    given = repr(target) if isinstance(target, bool | float) else type(target).__name__
    raise InvalidInput(f"a target is a class index or a label, not {given}", field="target")


def nearest_names(name: str, names: Sequence[str]) -> list[str]:
    """Return up to five of `names` that `name` may mean: those that contain it, then those that are spelled alike."""
    wanted = name.strip().casefold()
    by_folded = {n.casefold(): n for n in names}
    containing = sorted((n for n in by_folded if wanted and wanted in n), key=len)
    matcher = SequenceMatcher(b=wanted)
    likeness = {n: _likeness(matcher, n) for n in by_folded}
    alike = sorted((n for n, (share, _) in likeness.items() if share >= ALIKE), key=likeness.__getitem__, reverse=True)
    return [by_folded[n] for n in dict.fromkeys(containing + alike)][:MAX_SUGGESTIONS]


def _likeness(matcher: SequenceMatcher[str], name: str) -> tuple[float, float]:
    """Return the similarity of a name, or a word of it, to the text given, and of the whole name in any order.

    Both are the share of its letters, 1 if equal.
    """
    matcher.set_seq1(name)
    in_any_order, best = matcher.quick_ratio(), 0.0
    for part in {name, *_WORD.findall(name)}:
        matcher.set_seq1(part)
        if min(matcher.real_quick_ratio(), matcher.quick_ratio()) > max(best, ALIKE):
            best = max(best, matcher.ratio())
    return best, in_any_order
