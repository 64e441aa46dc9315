"""Match of a state dict's keys with a network's, and a description of the differences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn

_WRAPPERS = {"module", "_orig_mod"}  # of DataParallel and torch.compile; they can stand anywhere in a key
_AVERAGES = ("ema", "average", "swa", "teacher")
_DEEPEST_PREFIX = 4  # components
_SHOWN = 3
_LONGEST_KEY = 40


class Misfit(NamedTuple):
    """Differences between a state dict and a network's own; empty where it fits."""

    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    reshaped: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...] = ()
    """Key, shape in the file, shape in the network."""

    def __bool__(self) -> bool:
        return any(self)


class Fit(NamedTuple):
    """A state dict with its keys renamed to a network's."""

    where: str
    """Its place in the file; empty for the whole file."""
    prefix: str
    """The prefix that its keys had."""
    state: Mapping[str, Any]
    shared: int
    """Number of its keys that the network has."""
    misfit: Misfit

    @property
    def place(self) -> str:
        """Place of the weights in the file, in words."""
        place = f"entry {self.where!r}" if self.where else "the file itself"
        return f"{place}, prefix {self.prefix!r} taken off" if self.prefix else place

    @property
    def is_average(self) -> bool:
        """True for a running average of the weights that were trained."""
        return any(word in f"{self.where}.{self.prefix}".lower() for word in _AVERAGES)


def best_fit(network: nn.Module, where: str, state: Mapping[str, Any]) -> Fit | None:
    """Return a state dict with the keys renamed by which it fits best; None where no key is the network's."""
    own = network.state_dict()
    fits = [fit for names in _namings(own, state) for fit in _fits(own, where, names, state)]
    return min(fits, key=lambda fit: (bool(fit.misfit), fit.is_average, -fit.shared), default=None)


def refusal(network: nn.Module, file: str, fits: Sequence[Fit]) -> str:
    """Return why none of the state dicts of a file fits a network, and the likely cause: some 600 characters at most.

    Args:
        network: the network.
        file: the file's name.
        fits: of each of its state dicts, the best one.
    """
    if not fits:
        return (
            f"the weights in {file} are of another architecture than {type(network).__name__}: none of their keys is "
            "one of its own. Name the architecture that they were trained with"
        )
    best = max(fits, key=lambda fit: fit.shared)
    missing, unexpected, reshaped = best.misfit
    apart = [
        f"{len(missing)} missing ({_some(map(_short, missing))})" if missing else "",
        f"{len(unexpected)} unexpected ({_some(map(_short, unexpected))})" if unexpected else "",
        f"{len(reshaped)} of another shape ({_some(map(_shapes, reshaped))})" if reshaped else "",
    ]
    listed = ", ".join(filter(None, apart))
    return f"the weights in {file} don't fit {type(network).__name__}: {listed}. {_cause(best, network)}"


def _namings(own: Mapping[str, Any], state: Mapping[str, Any]) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Yield names for the network's keys and for the file's, each from name to key: as they are, without wrappers."""
    yield {key: key for key in own}, {key: key for key in state if isinstance(key, str)}
    bare = {_bare(key): key for key in own}
    if len(bare) == len(own):
        yield bare, {_bare(key): key for key in state if isinstance(key, str)}


def _bare(key: str) -> str:
    return ".".join(part for part in key.split(".") if part not in _WRAPPERS)


def _fits(
    own: Mapping[str, Any], where: str, names: tuple[dict[str, str], dict[str, str]], state: Mapping[str, Any]
) -> Iterator[Fit]:
    """Yield a state dict renamed in each of the ways that leave most of its keys to the network."""
    ours, theirs = names
    counts = Counter(prefix for name in theirs for prefix, rest in _splits(name) if rest in ours)
    most = max(counts.values(), default=0)
    for prefix in (prefix for prefix, count in counts.items() if count == most):
        inside = {name.removeprefix(prefix): key for name, key in theirs.items() if name.startswith(prefix)}
        renamed = {ours.get(name, name): state[key] for name, key in inside.items()}
        _keep_counters(own, renamed)
        misfit = _misfit(own, renamed)
        kept = state if not misfit and renamed.keys() == state.keys() else renamed  # the one with its versions
        yield Fit(where, prefix, kept, most, misfit)


def _splits(name: str) -> Iterator[tuple[str, str]]:
    """Yield a name's prefixes and what comes after them, first the empty one."""
    parts = name.split(".")
    for count in range(min(_DEEPEST_PREFIX + 1, len(parts))):
        yield "".join(f"{part}." for part in parts[:count]), ".".join(parts[count:])


def _keep_counters(own: Mapping[str, Any], state: dict[str, Any]) -> None:
    """Leave the network's counters of batches as they are, where the file is too old to have any: nothing uses them."""
    for key in own.keys() - state.keys():
        if key.endswith("num_batches_tracked"):
            state[key] = own[key]


def _misfit(own: Mapping[str, Any], state: Mapping[str, Any]) -> Misfit:
    return Misfit(
        missing=tuple(key for key in own if key not in state),
        unexpected=tuple(key for key in state if key not in own),
        reshaped=tuple(
            (key, _shape(state[key]), _shape(value))
            for key, value in own.items()
            if key in state and _shape(state[key]) != _shape(value)
        ),
    )


def _shape(value: Any) -> tuple[int, ...]:
    return tuple(value.shape) if isinstance(value, Tensor) else ()


def _cause(fit: Fit, network: nn.Module) -> str:
    missing, unexpected, reshaped = fit.misfit
    firsts = {(theirs[:1], ours[:1]) for _, theirs, ours in reshaped}
    theirs, ours = next(iter(firsts)) if len(firsts) == 1 else ((), ())
    if theirs and ours and theirs != ours and not missing and not unexpected:
        return (
            f"The head of the file has {theirs[0]} classes, that of the network {ours[0]}: give the architecture as "
            f"many, kwargs = {{ num_classes = {theirs[0]} }} for torchvision and timm, and as many labels"
        )
    if 2 * fit.shared < len(network.state_dict()):
        return "The file is of another architecture: name the one that it was trained with"
    if missing and not unexpected and not reshaped:
        return "The file doesn't hold the whole network: name one that was saved with its head"
    return "Name the very architecture that the file was trained with, and its kwargs"


def _some(words: Iterable[str]) -> str:
    listed = list(words)
    return ", ".join(listed[:_SHOWN]) + (", ..." if len(listed) > _SHOWN else "")


def _short(key: str) -> str:
    return key if len(key) <= _LONGEST_KEY else f"{key[:12]}...{key[15 - _LONGEST_KEY :]}"


def _shapes(reshaped: tuple[str, tuple[int, ...], tuple[int, ...]]) -> str:
    key, theirs, ours = reshaped
    return f"{_short(key)}: {_times(theirs)}, not {_times(ours)}"


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "one number"
