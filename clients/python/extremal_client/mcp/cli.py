"""`ep mcp`, also as `extremal-mcp`, which needs no `ep`."""

from __future__ import annotations

from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import typer

from extremal_client.core.address import DEFAULT_URL, KEY, URL, make_site

if find_spec("mcp") is None:
    raise ImportError("the server for agents needs its library: pip install 'extremal-client[mcp]'")

MOST_BYTES = 64_000_000
"""Of a request over HTTP: an image in base64, as large as the service takes it by default."""


def mcp(
    url: Annotated[str, typer.Option(envvar=URL, help="Address of the service.")] = DEFAULT_URL,
    key: Annotated[str | None, typer.Option(envvar=KEY, help="API key, where the service has keys.")] = None,
    root: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder whose images may be named by path; several may be given.", exists=True, file_okay=False
        ),
    ] = None,
    http: Annotated[
        bool, typer.Option("--http", help="Listen for streamable HTTP, at /mcp, instead of stdio.")
    ] = False,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen at.")] = 8100,
) -> None:
    """Serve agents (MCP): classify, explain, compare, get_result and list_models of a running service.

    Over HTTP, callers send the service's key themselves (Authorization: Bearer ...). --key is lent to those who send
    none, on this machine alone.
    """
    from .server import make_server

    try:
        site = make_site(url, key=key)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if http and root:
        raise typer.BadParameter("--root is for stdio: over HTTP, a path would be one of another machine")
    if http and site.key and not _is_loopback(host):
        raise typer.BadParameter(
            f"--key (or {KEY}) would be lent to everybody who reaches {host}: leave it out, callers send their own"
        )
    server = make_server(site, roots=root or [])
    if http:
        typer.echo(f"MCP at http://{host}:{port}/mcp, for {site.url}", err=True)
        server.run("streamable-http", host=host, port=port, max_request_body_size=MOST_BYTES)
    else:
        server.run("stdio")


def main() -> None:
    """Run `extremal-mcp`."""
    typer.run(mcp)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
