"""Build the site: `make docs`, or `python -m docs.site`. With ``--run`` its walkthroughs' commands are run instead."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Annotated

import typer

from .staging import ROOT, stage

STAGED = ROOT / "build" / "docs"
BUILT = ROOT / "build" / "site"
DOCS = ROOT / "docs"
WALKTHROUGHS = (DOCS / "tutorial.md", *sorted((DOCS / "how-to").glob("*.md")))


def main(
    run: Annotated[bool, typer.Option("--run", help="Run the commands of the tutorial and the how-to pages.")] = False,
    only: Annotated[str, typer.Option(help="With --run: pages whose name has this in it.")] = "",
) -> None:
    """Build the site; exit with 1 where a link, a docstring or what a page shows is wrong."""
    raise typer.Exit(_run(only) if run else _build())


def _build() -> int:
    """Stage the pages, and have mkdocs build the site of them."""
    from .generated import Generated

    generated = Generated()
    stage(STAGED, generated.fill)
    generated.write_files(STAGED)
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, check=False)
    if done.returncode == 0:
        print(f"The site is in {BUILT.relative_to(ROOT)}: open {BUILT / 'index.html'}")
    return done.returncode


def _run(only: str) -> int:
    from .running import WrongPageError, run

    wrong = 0
    for page in WALKTHROUGHS:
        if only in page.stem:
            try:
                print(f"{page.relative_to(ROOT)}: {run(page)} steps", flush=True)
            except WrongPageError as error:
                print(error, file=sys.stderr, flush=True)
                wrong = 1
    return wrong


if __name__ == "__main__":
    typer.run(main)
