"""All servers in one process, over unix sockets: the same servers, handlers and wires as six processes have.

This is the one place that may import every service and the gateway. What differs from `pipeline serve` is
configuration (where the sockets are) and that servers share one embedding model.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pipeline.background import Blocking
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from chassis.breaker import CircuitBreaker
    from chassis.models.embedding import Embedder
    from chassis.server import Server

PHASES = ("validation", "evidence", "pitch", "campaign", "mvp")
EMBEDDING_PHASES = ("validation", "evidence")
DRAIN_SECONDS = 5.0
"""Embedded servers die with their program: what is still running is released to the next start."""


@dataclass(frozen=True)
class EmbeddedOptions:
    """How the embedded servers are set up; anything not named here is read from `PIPELINE_*`."""

    state_dir: Path | None = None
    offline: bool = False
    phases: Sequence[str] = PHASES
    gateway: bool = True
    run_work: bool = True
    """False: serve what is stored, start or resume nothing."""
    settings: Mapping[str, Any] | None = None
    """Settings by field name, for the services that have that field (`{"hackernews_url": ...}`)."""


class EmbeddedPipeline:
    """The whole pipeline inside this process. Use it as an async context manager; `target` is the gateway's address."""

    def __init__(self, options: EmbeddedOptions | None = None) -> None:
        self.options = options or EmbeddedOptions()
        self.servers: dict[str, Server] = {}
        self._stack = contextlib.AsyncExitStack()
        self._folder: Path | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def target(self) -> str:
        """The gateway's address for a gRPC channel."""
        return self.servers["gateway"].address

    @property
    def circuit_breakers(self) -> dict[str, CircuitBreaker]:
        """Every breaker of every server, by `{server}.{upstream}`; live objects."""
        return {
            f"{name}.{upstream}": breaker
            for name, server in self.servers.items()
            for upstream, breaker in server.breakers.items()
        }

    async def start(self) -> None:
        """Start every server; whatever had started is stopped again when one fails."""
        # A short folder: a unix socket's path may have 107 bytes at most.
        self._folder = Path(tempfile.mkdtemp(prefix="pl-"))
        self._stack.callback(shutil.rmtree, self._folder, ignore_errors=True)
        try:
            self._build()
            for server in self.servers.values():
                # Runs when every server has stopped, so that their last spans are exported. Not in a thread: at the
                # end of a program there is no executor any more.
                self._stack.callback(server.telemetry.shutdown)
            for server in self.servers.values():
                await server.start()
                self._stack.push_async_callback(server.stop, DRAIN_SECONDS)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Drain and stop every server, the gateway first."""
        self.servers = {}
        await self._stack.aclose()

    def _build(self) -> None:
        from chassis.config import load
        from chassis.models.embedding import load_embedder

        embedder: Embedder | None = None
        for phase in self.options.phases:
            config = load(_config_class(phase), **self._settings(phase))
            if phase in EMBEDDING_PHASES and embedder is None:
                embedder = load_embedder(config)
                if embedder is not None:
                    self._stack.push_async_callback(embedder.close)
            self.servers[phase] = _build_phase(phase, config, embedder if phase in EMBEDDING_PHASES else None)
        if self.options.gateway:
            from gateway.config import GatewayConfig
            from gateway.server import build

            targets = {f"{phase}_target": self._socket(phase) for phase in self.options.phases}
            settings = {**self._settings("gateway"), "http_listen": "", **targets}
            if not self.options.run_work:
                settings["max_concurrent_runs"] = 0
            self.servers["gateway"] = build(load(GatewayConfig, **settings))

    def _socket(self, name: str) -> str:
        return f"unix:{self._folder}/{name}.sock"

    def _settings(self, name: str) -> dict[str, Any]:
        settings: dict[str, Any] = {"listen": self._socket(name)}
        if name == "campaign":
            # Pages outlive a program: `pipeline serve` serves them, from the same state folder.
            settings["page_listen"] = "off"
        if self.options.state_dir is not None:
            settings["state_dir"] = self.options.state_dir
        if self.options.offline:
            settings["offline"] = True
        fields = _config_class(name).model_fields
        settings.update({k: v for k, v in (self.options.settings or {}).items() if k in fields})
        return settings


class HostedPipeline(Blocking):
    """Embedded servers on a loop and a thread of their own, for programs that have another use for theirs.

    The program may block its loop, end it (`asyncio.run` cancels every task, gRPC's own included) or forget to close
    the pipeline: the servers go on until `close`, or until the program exits.
    """

    def __init__(self, options: EmbeddedOptions) -> None:
        self.embedded = EmbeddedPipeline(options)
        super().__init__(self.embedded)

    async def start(self) -> None:
        """Start the servers; when one fails, all are stopped and the thread ends."""
        try:
            await asyncio.wrap_future(self._loop.submit(self.embedded.start()))
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """`close` without blocking the caller's loop."""
        if not self._loop.closed:
            await asyncio.to_thread(self.close)


def _config_class(name: str) -> Any:
    import importlib

    if name == "gateway":
        return importlib.import_module("gateway.config").GatewayConfig
    if name not in PHASES:
        raise PipelineError.invalid("phases", f"{name!r} is not a phase; give some of {', '.join(PHASES)}")
    return getattr(importlib.import_module(f"services.{name}.config"), f"{name.capitalize()}Config")


def _build_phase(phase: str, config: Any, embedder: Any) -> Server:
    import importlib

    module = importlib.import_module(f"services.{phase}.server")
    # Two phases compare texts by meaning; they share the model, which is most of an idle pipeline's memory.
    providers = None if embedder is None else module.default_providers(config, embedder=embedder)
    server: Server = module.build(config, providers=providers)
    return server
