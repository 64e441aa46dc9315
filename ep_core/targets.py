"""Which class is explained: from an index or a label to a class index."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from .errors import InvalidInput, UnknownName

MAX_SUGGESTIONS = 5


def resolve_target(target: int | str, labels: Sequence[str]) -> int:
    """Return the class index that `target` names.

    Args:
        target: a class index in ``[0, len(labels))``, or a label, compared exactly but for case and outer blanks.
        labels: the model's class labels, one per class.

    Raises:
        InvalidInput: the index is outside the classes, or several classes carry this label.
        UnknownName: no class has this label; the error carries the nearest labels.
    """
    if isinstance(target, int):
        if not 0 <= target < len(labels):
            raise InvalidInput(f"target {target} is not a class: use 0 to {len(labels) - 1}", field="target")
        return target
    wanted = target.strip().casefold()
    matches = [index for index, label in enumerate(labels) if label.strip().casefold() == wanted]
    if len(matches) > 1:
        raise InvalidInput(
            f"{len(matches)} classes are called {target!r}: use one of the indices {matches}", field="target"
        )
    if not matches:
        nearest = nearest_names(target, labels)
        hint = f"; did you mean {', '.join(map(repr, nearest))}?" if nearest else ""
        raise UnknownName(f"no class is called {target!r}{hint}", field="target", nearest=nearest)
    return matches[0]


def nearest_names(name: str, names: Sequence[str]) -> list[str]:
    """Return up to five of `names` that `name` may mean: first those that contain it, then those spelled alike."""
    wanted = name.strip().casefold()
    by_folded = {n.casefold(): n for n in names}
    containing = sorted((n for n in by_folded if wanted and wanted in n), key=len)
    alike = get_close_matches(wanted, list(by_folded), n=MAX_SUGGESTIONS, cutoff=0.5)
    return [by_folded[n] for n in dict.fromkeys(containing + alike)][:MAX_SUGGESTIONS]
