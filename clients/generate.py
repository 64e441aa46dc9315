"""Generation of the clients' types and addresses out of the OpenAPI document: `python -m clients.generate`."""

from __future__ import annotations

import argparse
import sys

from clients.document import Document, served_document
from clients.python import generate as python
from clients.typescript import generate as typescript

CLIENTS = (python, typescript)


def main() -> int:
    """Write the modules, or with `--check` return 1 where they differ from the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check: bool = parser.parse_args().check
    document = Document(served_document())
    made = {client.FOLDER / name: text for client in CLIENTS for name, text in client.generate(document).items()}
    stale = [path for path, text in made.items() if not (path.exists() and path.read_text() == text)]
    if check:
        print("\n".join(f"{path} differs from the OpenAPI document: run `make client`" for path in stale))
        return int(bool(stale))
    for path in stale:
        path.write_text(made[path])
    return 0


if __name__ == "__main__":
    sys.exit(main())
