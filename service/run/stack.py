"""Redis, the API and the workers as one stack on this machine: started, watched and stopped together."""

from __future__ import annotations

import errno
import http
import http.client
import os
import socket
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, FilePath, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from redis import Redis, RedisError

from ep_core.schemas.wording import lines, setting
from worker.broker.liveness import live_workers

from .embedded_redis import EmbeddedRedis, FolderInUse, RedisStartError
from .processes import StopRequests, stop
from .supervisor import Child, GaveUp, Keeper, Show, describe

WORKER_GRACE_S = 30.0  # to finish or requeue the running job
API_GRACE_S = 10.0
_TICK_S = 0.1
_SAMPLE = Path("samples/black_bear.jpg")


def default_state_dir() -> Path:
    """Return the user's state folder for this project (XDG)."""
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(base).expanduser() / "extremal-perturbations"


class LocalSettings(BaseSettings):
    """Settings that `ep serve` reads from the environment (``EP_...``); its children read the rest."""

    model_config = SettingsConfigDict(env_prefix="EP_", env_ignore_empty=True)

    host: Annotated[str, Field(description="Address that the API listens on.")] = "127.0.0.1"
    port: Annotated[int, Field(gt=0, lt=65536, description="Port that the API listens on.")] = 8000
    state_dir: Annotated[
        Path,
        AfterValidator(Path.expanduser),
        Field(default_factory=default_state_dir, description="Folder of Redis's append-only file and log."),
    ]
    workers: Annotated[int, Field(ge=1, le=64, description="Workers on this machine.")] = 1
    models_file: Annotated[FilePath | None, Field(description="The operator's model list (TOML).")] = None


class LocalStackError(RuntimeError):
    """The stack can't be started or can't continue; the message is one line that says what to do."""


def serve(
    *,
    host: str | None = None,
    port: int | None = None,
    state_dir: Path | None = None,
    workers: int | None = None,
    models_file: Path | None = None,
) -> int:
    """Run everything on this machine until Ctrl-C, SIGTERM or SIGHUP; return the exit code for the shell.

    Call from the main thread. Arguments that are None come from the environment (`LocalSettings`). The exit code is 0
    after a requested stop. It is 1 where the stack can't start or continue; one line on standard error has the reason.
    """
    given = {"host": host, "port": port, "state_dir": state_dir, "workers": workers, "models_file": models_file}
    try:
        with StopRequests() as requests:
            _Stack(_settings({name: value for name, value in given.items() if value is not None}), requests).run()
    except (LocalStackError, RedisStartError, GaveUp) as error:
        print(f"ep serve: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


class _KeptRedis:
    """Redis, as a `Keeper` sees it; its lines are in its own log."""

    name = "redis"

    def __init__(self, redis: EmbeddedRedis, *, show: Show) -> None:
        self._redis = redis
        self._show = show
        self.started_at = time.monotonic()

    def start(self) -> None:
        self.started_at = time.monotonic()
        self._redis.start()
        if self._redis.repaired is not None:
            self._show(self.name, self._redis.repaired)

    def poll(self) -> int | None:
        return self._redis.exit_code

    def drain(self) -> None:
        """Do nothing: its lines go to its log."""


class _Stack:
    """Redis, the API and the workers, from their start to their end."""

    def __init__(self, settings: LocalSettings, requests: StopRequests) -> None:
        self._settings = settings
        self._requests = requests
        self._output = threading.Lock()

    def run(self) -> None:
        began = time.monotonic()
        _check_address(self._settings.host, self._settings.port)
        with ExitStack() as running:  # undone in reverse: workers, API, Redis
            redis = EmbeddedRedis(self._settings.state_dir / "redis")
            running.callback(redis.stop)
            self._start_redis(redis)
            env = self._environment(redis.url)
            api = self._child("api", "service", env)
            running.callback(self._stop, [api], API_GRACE_S)
            workers = [self._child(name, "worker", env) for name in self._worker_names()]
            running.callback(self._stop, workers, WORKER_GRACE_S)
            self._watch(redis, api, workers, began)
            self._say("\nStopping (once more to stop at once) ...")
        self._say("Stopped.")

    def _watch(self, redis: EmbeddedRedis, api: Child, workers: list[Child], began: float) -> None:
        """Start again what ends, each by itself; before all is ready, an end of Redis or the API is a wrong setting."""
        kept = [Keeper(child, show=self._show) for child in (_KeptRedis(redis, show=self._show), api)]
        keepers = [Keeper(worker, show=self._show) for worker in workers]
        is_ready = False
        with Redis.from_url(redis.url, socket_timeout=5.0) as client:
            while not self._requests.stop:
                if not is_ready:
                    self._check_alive(redis, api)
                for keeper in (*(kept if is_ready else ()), *keepers):
                    keeper.check()
                if not is_ready and self._is_ready(client):
                    is_ready = True
                    self._say(self._welcome(time.monotonic() - began))
                time.sleep(_TICK_S)

    def _start_redis(self, redis: EmbeddedRedis) -> None:
        folder = self._settings.state_dir
        try:
            redis.start()
            if redis.repaired is not None:
                self._show("redis", redis.repaired)
        except FolderInUse as error:
            raise LocalStackError(
                f"the state folder {folder} is in use by {f'process {error.pid}' if error.pid else 'another process'}: "
                f"stop that one, or choose another folder, for example `EP_STATE_DIR={folder}-2 make run`"
            ) from error
        except OSError as error:
            raise LocalStackError(
                f"can't use the state folder {folder} ({error.strerror}): choose another one with EP_STATE_DIR"
            ) from error

    def _environment(self, redis_url: str) -> dict[str, str]:
        settings = self._settings
        env = os.environ | {
            "EP_REDIS_URL": redis_url,
            "EP_REDIS_PASSWORD": "",  # its own is in the address
            "EP_HOST": settings.host,
            "EP_PORT": str(settings.port),
            "EP_WORKERS": str(settings.workers),
            "PYTHONUNBUFFERED": "1",
        }
        if settings.models_file is not None:
            env["EP_MODELS_FILE"] = str(settings.models_file.absolute())
        return env

    def _child(self, name: str, module: str, env: Mapping[str, str]) -> Child:
        # -P: a folder called `worker` where the user happens to be is not ours.
        return Child(name, [sys.executable, "-P", "-m", module], env=env, show=self._show)

    def _worker_names(self) -> list[str]:
        count = self._settings.workers
        return ["worker"] if count == 1 else [f"worker {number}" for number in range(1, count + 1)]

    def _check_alive(self, redis: EmbeddedRedis, api: Child) -> None:
        exit_code = api.process.poll()
        if exit_code is not None:
            api.drain()
            raise LocalStackError(f"the API ended ({describe(exit_code)}): its own lines above say why")
        if redis.exit_code is not None:
            raise LocalStackError(f"Redis ended ({describe(redis.exit_code)}): see {redis.log}")

    def _stop(self, children: list[Child], grace_s: float) -> None:
        stop([child.process for child in children], grace_s=grace_s, hurry=self._requests.hurry)
        for child in children:
            child.drain()

    def _is_ready(self, client: Redis) -> bool:
        try:
            if live_workers(client) == 0:  # checked here first: the API logs each request
                return False
        except RedisError:
            return False
        connection = http.client.HTTPConnection(_reachable(self._settings.host), self._settings.port, timeout=2.0)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _welcome(self, seconds: float) -> str:
        host = _reachable(self._settings.host)
        url = f"http://{f'[{host}]' if ':' in host else host}:{self._settings.port}"
        image = _SAMPLE if _SAMPLE.exists() else "photo.jpg"
        return (
            f"\nReady after {seconds:.1f} s. Ctrl-C stops everything.\n\n"
            f"  Open    {url}/\n"
            f"  API     {url}/docs\n"
            f"  Try     curl -F image=@{image} {url}/v1/jobs\n"
            f"  State   {self._settings.state_dir}\n"
        )

    def _show(self, name: str, line: str) -> None:
        self._say(f"{name:<8} | {line}")

    def _say(self, text: str) -> None:
        with self._output, suppress(OSError):  # the terminal may be gone
            print(text, flush=True)


def _settings(given: Mapping[str, Any]) -> LocalSettings:
    try:
        return LocalSettings(**given)
    except ValidationError as error:
        raise LocalStackError("; ".join(lines(error.errors(), setting))) from error


def _check_address(host: str, port: int) -> None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the API itself will do
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise LocalStackError(
                f"port {port} on {host} is taken: choose another one, for example `EP_PORT={port + 1} make run`"
            ) from error
        raise LocalStackError(
            f"can't listen on {host}, port {port} ({error.strerror}): set EP_HOST or EP_PORT"
        ) from error


def _reachable(host: str) -> str:
    """Return an address at which this machine reaches what listens on `host`."""
    return {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
