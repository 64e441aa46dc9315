"""`ep new-key`: a new API key for its owner, and its entry in the operator's file."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from ep_core.schemas.wording import lines

from .keys import ApiKey, add_key, hash_key, new_key


def new_key_command(
    name: Annotated[str, typer.Argument(help="Whose key it is: lower-case letters, digits, - and _.")],
    rate: Annotated[str | None, typer.Option(help="Most requests, such as 600/minute.")] = None,
    max_queued: Annotated[int | None, typer.Option(help="Most jobs that may wait.")] = None,
    webhooks: Annotated[bool, typer.Option(help="Make a secret that signs its webhooks, too.")] = False,
    file: Annotated[
        Path, typer.Option(envvar="EP_API_KEYS_FILE", help="Keys file; made where it is missing.", dir_okay=False)
    ] = Path("keys.toml"),
) -> None:
    """Show a new API key, this once, and add its entry to the keys file, which only its owner may read.

    The entry holds the key's hash, and the secret that signs its webhooks, if it has one.
    """
    key = new_key()
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}" if webhooks else None
    try:
        entry = ApiKey(name=name, sha256=hash_key(key), rate=rate, max_queued=max_queued, webhook_secret=secret)
    except ValidationError as error:
        typer.echo("\n".join(lines(error.errors())), err=True)
        raise typer.Exit(2) from error
    try:
        add_key(file, entry)
    except (OSError, ValueError) as error:
        typer.echo(f"the key was not added: {error}", err=True)
        raise typer.Exit(2) from error
    typer.echo(f"The key of {name}, for its owner, sent as Authorization: Bearer ...\n\n    {key}\n")
    typer.echo(f"Its entry is in {file}, which EP_API_KEYS_FILE names; start the API again.")
