"""Faults of a page: errors, breaches of its Content-Security-Policy, requests to other hosts."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, WebError, WebSocket

# Each breach as the browser tells it to the page; the console doesn't tell all of them.
_TELL_BREACHES = """
addEventListener("securitypolicyviolation", (event) =>
  tellBreach(`${event.effectiveDirective} forbids ${event.blockedURI} (${event.sourceFile}:${event.lineNumber})`));
"""
# A picture that was asked for while its job was removed, as the console tells it.
_MISSED_PICTURE = re.compile(r"status of 404.*\((http\S+/v1/jobs/[0-9a-f]{32})/images/")
_LOCAL_SCHEMES = ("data", "blob", "about")


class Watch:
    """Collects the faults of a test's pages.

    Args:
        url: of the only origin that requests may go to.
    """

    def __init__(self, url: str) -> None:
        self.problems: list[str] = []
        self._host = urlsplit(url).netloc
        self._allowed: list[re.Pattern[str]] = []
        self._contexts: list[BrowserContext] = []

    def follow(self, context: BrowserContext) -> None:
        """Watch all pages of `context`; call before the first is opened."""
        self._contexts.append(context)
        context.on("console", self._see_console)
        context.on("weberror", self._see_exception)
        context.on("request", self._see_request)
        context.on("page", lambda page: page.on("websocket", self._see_socket))
        context.expose_binding("tellBreach", lambda _, breach: self.problems.append(f"policy: {breach}"))
        context.add_init_script(_TELL_BREACHES)

    def allow(self, pattern: str) -> None:
        """Ignore faults that match `pattern` in this test, such as ``"status of 422"`` for an invalid request."""
        self._allowed.append(re.compile(pattern))

    def check(self) -> None:
        """Raise AssertionError if something went wrong so far."""
        for page in (page for context in self._contexts for page in context.pages):
            page.wait_for_timeout(50)  # lets what happened last arrive
        problems = [problem for problem in self.problems if not self._is_expected(problem)]
        assert not problems, "on the page:\n" + "\n".join(problems)

    def _is_expected(self, problem: str) -> bool:
        if any(known.search(problem) for known in self._allowed):
            return True
        missed = _MISSED_PICTURE.search(problem)
        return missed is not None and self._contexts[0].request.get(missed[1]).status == 404

    def _see_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            place = message.location
            self.problems.append(f"console: {message.text} ({place.get('url')}:{place.get('lineNumber')})")

    def _see_exception(self, error: WebError) -> None:
        self.problems.append(f"exception: {error.error}")

    def _see_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in _LOCAL_SCHEMES and address.netloc != self._host:
            self.problems.append(f"request elsewhere: {request.method} {request.url}")

    def _see_socket(self, socket: WebSocket) -> None:
        if urlsplit(socket.url).netloc != self._host:
            self.problems.append(f"socket elsewhere: {socket.url}")
