"""Path prefix below which a proxy shows the service, such as ``/explain``; "" where it is the root of its host.

It is the scope's ``root_path``, and the scope's ``path`` begins with it, as ASGI has it: whether the proxy cuts it off
or not makes no difference behind `put_below`.
"""

from __future__ import annotations

import re

from starlette.types import Scope

MOST_CHARS = 200
UNKNOWN = "other"
"""Name of all addresses that are none of ours: they are the client's to make up."""
FOR_MACHINES = ("/healthz", "/readyz", "/metrics", "/v2/health/live", "/v2/health/ready")
"""Addresses for load balancers and scrapers, which come by address and without a key; they expose no secrets."""

_PREFIX = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")  # the same percent-encoded; never the name of a host
_OUR_OWN = frozenset({"v1", "v2", "static", "docs", "redoc", "openapi.json", "healthz", "readyz", "metrics"})


def check_prefix(text: str) -> str:
    """Return a prefix in its normal form, without a slash at its end.

    Raises:
        ValueError: it is no path, or conflicts with the service's own addresses.
    """
    prefix = text.rstrip("/")
    if not prefix:
        return ""
    if len(prefix) > MOST_CHARS or not _PREFIX.fullmatch(prefix):
        raise ValueError(f"{text[:MOST_CHARS]!r} is no path: write it as /explain, with letters, digits and . _ ~ -")
    if prefix.split("/")[1] in _OUR_OWN:
        raise ValueError(f"{prefix!r} begins as addresses of the service itself do: choose another path")
    return prefix


def put_below(scope: Scope, prefix: str) -> None:
    """Let a request be one below `prefix`, whether its path still begins with it or not."""
    path = scope["path"]
    if path == prefix:
        scope["path"] = f"{prefix}/"
    elif not path.startswith(f"{prefix}/"):
        scope["path"] = prefix + path
        if "raw_path" in scope:
            scope["raw_path"] = prefix.encode() + scope["raw_path"]
    scope["root_path"] = prefix


def prefix_of(scope: Scope) -> str:
    """Return the prefix of a request, also of one to a mounted application."""
    return str(scope.get("app_root_path", scope.get("root_path", "")))


def path_of(scope: Scope) -> str:
    """Return the path of a request below its prefix."""
    return str(scope["path"]).removeprefix(prefix_of(scope))


def template_of(scope: Scope) -> str:
    """Return the template of a request's address, such as ``/v1/jobs/{job_id}``; ``"other"`` for an unknown one."""
    return getattr(scope.get("route"), "path_format", UNKNOWN)
