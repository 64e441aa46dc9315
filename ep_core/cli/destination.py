"""Where a command writes its result: a folder of files, a page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ep_core.errors import InvalidInput
from ep_core.pictures.result_folder import write_whole

from .terminal import check_writable, tell

if TYPE_CHECKING:
    from rich.console import Console

    from ep_core.compare.comparison import Comparison
    from ep_core.extremal.explanation import Explanation

Html = Annotated[
    Path | None,
    typer.Option(
        "--html",
        metavar="FILE",
        help="One page with the result in it, which opens from disk. There is no folder then, unless --out names one.",
    ),
]


@dataclass(frozen=True)
class Destination:
    """A folder of files, a page, or both."""

    folder: Path | None
    page: Path | None

    @classmethod
    def of(cls, out: Path | None, html: Path | None, *, default: str) -> Destination:
        """Return what the options `--out` and `--html` mean; `default` is the folder's name where there is neither."""
        return cls(out or (None if html else Path(default)), html)

    def check(self) -> None:
        """Complain before the work, not after it.

        Raises:
            InvalidInput: it can't be written to.
        """
        if self.folder:
            check_writable(self.folder)
        if self.page:
            check_page(self.page)

    def deliver(self, result: Explanation | Comparison, *, as_json: bool) -> Console:
        """Write a result, show its warnings, print its report where it is wanted as JSON.

        Returns:
            Where the words on the result go.
        """
        if self.folder:
            result.save(self.folder)
        if self.page:
            write_page(self.page, result.to_html())
        return tell(result.report(), as_json=as_json)

    def say(self, files: str, console: Console) -> None:
        """Say where everything is; `files` names what is in the folder."""
        if self.folder:
            console.print(f"{files} are in {self.folder}/", highlight=False, soft_wrap=True)
        if self.page:
            console.print(f"the page is {self.page}", highlight=False, soft_wrap=True)


def check_page(page: Path) -> None:
    """Complain where a page can't be written, before the work.

    Raises:
        InvalidInput: it is a folder, or in one that can't be written to.
    """
    if page.is_dir():
        raise InvalidInput(f"--html names a file, and {page} is a folder: --out names those", field="html")
    check_writable(page.parent)


def write_page(page: Path, text: str) -> None:
    """Write a page whole, or not at all, in a folder that is made where it is missing."""
    page.parent.mkdir(parents=True, exist_ok=True)
    write_whole(page, text)
