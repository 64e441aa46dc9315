"""`ep new-key`: a new API key for its owner, and the lines that go into the operator's file."""

from __future__ import annotations

import base64
import secrets
from typing import Annotated

import typer
from pydantic import ValidationError

from .keys import ApiKey, hash_key, new_key


def new_key_command(
    name: Annotated[str, typer.Argument(help="Whose key it is: lower-case letters, digits, - and _.")],
    rate: Annotated[str | None, typer.Option(help="Most requests, such as 600/minute.")] = None,
    max_queued: Annotated[int | None, typer.Option(help="Most jobs that may wait.")] = None,
    webhooks: Annotated[bool, typer.Option(help="Make a secret that signs its webhooks, too.")] = False,
) -> None:
    """Show a new API key, this once, and print its entry for the file that EP_API_KEYS_FILE names.

    The key goes to standard error, the entry, which holds its hash, to standard output: `ep new-key NAME >> keys.toml`.
    """
    key = new_key()
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}" if webhooks else None
    try:
        entry = ApiKey(name=name, sha256=hash_key(key), rate=rate, max_queued=max_queued, webhook_secret=secret)
    except ValidationError as error:
        for fault in error.errors():
            typer.echo(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}", err=True)
        raise typer.Exit(2) from error
    typer.echo(f"The key of {name}, for its owner, sent as Authorization: Bearer ...\n\n    {key}\n", err=True)
    typer.echo("[[keys]]")
    for field, value in entry.model_dump(exclude_none=True).items():
        typer.echo(f"{field} = {value}" if isinstance(value, int) else f'{field} = "{value}"')
