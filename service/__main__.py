"""`python -m service`: the API on its own, settings from the environment."""

from __future__ import annotations

import gc
import socket
import sys
import threading
from types import FrameType

import structlog
import uvicorn
from pydantic import ValidationError

from ep_core.models.runtime.heap import give_back_memory_at_once
from ep_core.schemas.wording import lines, setting
from service.access.connections import connections
from service.access.exposure import check_exposure
from service.access.keys import is_open_to_others
from worker.observe.logs import setup_logging

from .app import create_app
from .deps import Services
from .settings import ApiSettings

KEEP_ALIVE_S = 65  # longer than load balancers keep a connection, which would send on one that is just being closed
SWITCH_S = 0.001  # that a thread computes before the event loop, which all requests wait for, has its turn

_log = structlog.get_logger(__name__)


class _Server(uvicorn.Server):
    """Uvicorn's server; tells the application that it stops, so that held requests (`Prefer: wait`) are answered."""

    def __init__(self, config: uvicorn.Config, stopping: threading.Event) -> None:
        super().__init__(config)
        self._stopping = stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._stopping.set()
        super().handle_exit(sig, frame)


def main() -> int:
    """Serve until SIGTERM or Ctrl-C; 1 where the settings are wrong or the port is taken, with a line that says so."""
    give_back_memory_at_once()
    try:
        settings = ApiSettings()
        app = create_app(settings)
    except ValidationError as error:
        return _give_up(f"settings: {'; '.join(lines(error.errors(), setting))}")
    except ValueError as error:  # the file of the API keys
        return _give_up(str(error))
    services = Services.of(app)
    exposed = check_exposure(settings, has_keys=bool(services.keys))
    if exposed is not None:
        return _give_up(exposed)
    try:
        listener = _listen(settings.host, settings.port)
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        return _give_up(f"can't listen on {where} ({error.strerror}): set EP_PORT (or EP_HOST) to another one")
    setup_logging(json=settings.log_json)
    if settings.api_keys_file is not None and is_open_to_others(settings.api_keys_file):
        _log.warning("others can read the API keys' file: chmod 600 it", file=str(settings.api_keys_file))
    config = uvicorn.Config(
        app,
        http=connections(settings),
        ws="none",
        log_config=None,  # everything goes through worker.observe.logs
        access_log=False,  # service.http.middleware logs requests
        server_header=False,
        timeout_graceful_shutdown=settings.shutdown_s,
        timeout_keep_alive=KEEP_ALIVE_S,
        proxy_headers=False,  # service.access.proxies: uvicorn's default believes everybody on this machine
    )
    sys.setswitchinterval(SWITCH_S)
    gc.collect()
    gc.freeze()  # what was made up to here stays: looking through all of it holds up requests for tens of milliseconds
    _Server(config, services.stopping).run(sockets=[listener])
    return 0


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family)
    # Connections inherit it. Without it, an answer's body waits up to 40 ms for the client to acknowledge its headers.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _give_up(reason: str) -> int:
    print(f"ep api: {reason}", file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
