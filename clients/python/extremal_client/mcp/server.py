"""The server: its tools, as MCP has them."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import getdoc
from pathlib import Path

from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations

from extremal_client.core.messages import Site
from extremal_client.version import __version__

from .images import Images
from .tools import Tools

INSTRUCTIONS = """\
Which part of an image does a neural network need to see? `classify` says what a model sees in an image; `explain` finds
the smallest area that suffices for a class (a*, by extremal perturbations, Fong et al. 2019) and shows it; `compare`
scores other attribution methods alike. A job that takes longer than `wait_s` goes on: `get_result` waits for it."""


def make_server(site: Site, *, roots: Sequence[Path] = ()) -> MCPServer[object]:
    """Return the MCP server of a service.

    Args:
        site: the service, with the key of callers who send none.
        roots: folders in which images may be named by their paths.
    """
    server: MCPServer[object] = MCPServer(
        "extremal-perturbations", instructions=INSTRUCTIONS, version=__version__, log_level="WARNING"
    )
    tools = Tools(site, Images(roots))
    looks = ToolAnnotations(read_only_hint=True)
    posts = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True)
    for tool, hints in (
        (tools.classify, looks),
        (tools.explain, posts),
        (tools.compare, posts),
        (tools.get_result, looks),
        (tools.list_models, looks),
    ):
        server.add_tool(tool, description=getdoc(tool), annotations=hints)
    return server
