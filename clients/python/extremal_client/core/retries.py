"""Requests that are sent again: where the connection is lost, or the service asks to come back later."""

from __future__ import annotations

from http import HTTPStatus

from extremal_client.errors import ExtremalError, Unreachable

from .messages import Answer, Request, Site
from .problems import check, error_of, is_temporary, retry_after_s
from .steps import Flow, Lost, Pause, send

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 8.0


class Retries:
    """Pauses between tries of a request, each twice as long as the one before, for `retry_s` seconds of the site.

    Args:
        site: where the request goes.
        url: its address, for the message.
    """

    def __init__(self, site: Site, url: str) -> None:
        self._site = site
        self._url = url
        self.renew()

    def renew(self) -> None:
        """Begin anew: the service has answered."""
        self._ends_at = self._site.clock() + self._site.retry_s
        self._next_s = FIRST_PAUSE_S

    def after_loss(self, lost: Lost) -> Flow[None]:
        """Wait after a lost connection; raises `Unreachable` where the time for retries is over."""
        error = Unreachable(
            f"no answer from {self._url} for {self._site.retry_s:g} s ({lost}): is the service running, and is this "
            "its address? Client(url=...) and EP_URL name another one"
        )
        error.__cause__ = lost
        yield from self._wait(None, error)

    def after_answer(self, answer: Answer) -> Flow[None]:
        """Wait as an answer asks for; raises its error where that is beyond the time for retries."""
        yield from self._wait(retry_after_s(answer), error_of(answer))

    def _wait(self, asked_s: float | None, error: ExtremalError) -> Flow[None]:
        # Clients that lost the same service shall not all come back at once.
        own_s = self._next_s * (0.5 + self._site.chance() / 2)
        pause_s = max(own_s, asked_s or 0.0)
        self._next_s = min(2 * self._next_s, LONGEST_PAUSE_S)
        if self._site.clock() + pause_s > self._ends_at:
            raise error
        yield Pause(pause_s)


def call(site: Site, request: Request, *, removes: bool = False) -> Flow[Answer]:
    """Return the answer to a request that may be sent again.

    Args:
        site: where it goes.
        request: what is sent.
        removes: whether it removes something: that is done where there is nothing (404) after a lost answer.

    Raises:
        ServiceError: it is a problem that retries can't solve, or didn't.
        Unreachable: no answer came.
    """
    retries = Retries(site, request.url)
    is_lost = False
    while True:
        try:
            answer = yield from send(request)
        except Lost as lost:
            is_lost = True
            yield from retries.after_loss(lost)
            continue
        if removes and is_lost and answer.status == HTTPStatus.NOT_FOUND:
            return answer
        if not is_temporary(answer):
            return check(answer)
        yield from retries.after_answer(answer)
