"""Turns at networks: one thread at a time uses a network's mode, flags and hooks."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from torch import nn
from torch.utils.weak import WeakIdKeyDictionary


class Turn:
    """Lock that threads get in the order in which they asked for it; its holder may take it again."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()
        self._holder: int | None = None
        self._depth = 0

    @property
    def is_free(self) -> bool:
        """Whether nobody has it, or waits for it."""
        with self._changed:
            return self._holder is None and not self._waiting

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for the lock, and give it back at the end."""
        self._take(1)
        _mine().append(self)
        try:
            yield
        finally:
            _mine().remove(self)
            self._give_back(1)

    @contextmanager
    def put_aside(self) -> Iterator[None]:
        """Give the lock to others meanwhile, however often its holder has taken it."""
        with self._changed:
            depth = self._depth
        self._give_back(depth)
        try:
            yield
        finally:
            self._take(depth)

    def _take(self, times: int) -> None:
        me = threading.get_ident()
        with self._changed:
            if self._holder == me:
                self._depth += times
                return
            place = object()
            self._waiting.append(place)
            try:
                while self._holder is not None or self._waiting[0] is not place:
                    self._changed.wait()
                self._holder, self._depth = me, times
            finally:
                self._waiting.remove(place)
                self._changed.notify_all()  # an interrupted one may have been the first

    def _give_back(self, times: int) -> None:
        with self._changed:
            self._depth -= times
            if self._depth == 0:
                self._holder = None
                self._changed.notify_all()


_guard = threading.Lock()
_turns = WeakIdKeyDictionary()
"""By module, the turn of the first network that it was seen in."""
_gpu = Turn()
_threads = threading.local()


@contextmanager
def one_thread(network: nn.Module) -> Iterator[None]:
    """Wait until no other thread uses a network, or one that shares modules with it.

    On a GPU all networks take turns: while a CUDA graph is captured, no other thread may call the driver. The
    thread that is in may enter again. A thread inside must not wait for one about to enter, unless `aside`: both would
    wait for ever.
    """
    with ExitStack() as held:
        for turn in _turns_of(network):
            held.enter_context(turn.taken())
        yield


@contextmanager
def aside() -> Iterator[None]:
    """Let other threads use the networks that this one is in, meanwhile."""
    with ExitStack() as away:
        for turn in sorted(set(_mine()), key=_order):  # the stack takes them again the other way round
            away.enter_context(turn.put_aside())
        yield


def give_way() -> None:
    """Let the threads that wait for the networks this one is in have their turns first.

    To be called between two passes of many, where nothing of this thread's is on the network (hooks), and no random
    numbers of the whole process are under its control.
    """
    with aside():
        pass


def is_free(network: nn.Module) -> bool:
    """Return whether a thread that is about to enter gets in at once."""
    return all(turn.is_free for turn in _turns_of(network))


def _mine() -> list[Turn]:
    """Return what this thread has taken."""
    if not hasattr(_threads, "taken"):
        _threads.taken = []
    taken: list[Turn] = _threads.taken
    return taken


def _order(turn: Turn) -> tuple[bool, int]:
    """Return the place of a turn in the order in which all threads take them, from the last to the first."""
    return turn is _gpu, -id(turn)


def _turns_of(network: nn.Module) -> list[Turn]:
    """Return what has to be held, in an order that is the same for all threads."""
    modules = list(network.modules())
    with _guard:
        known = {id(turn): turn for module in modules if (turn := _turns.get(module)) is not None}
        own = next(iter(known.values()), None) or Turn()
        for module in modules:
            _turns.setdefault(module, own)
    found = {id(own): own} | known
    if any(parameter.is_cuda for parameter in network.parameters()):
        found[id(_gpu)] = _gpu
    return sorted(found.values(), key=_order, reverse=True)
