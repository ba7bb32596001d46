"""What single-service callers share: reaching one phase server, embedded or remote."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import grpc

from chassis.channel import open_channel
from pipeline.errors import from_rpc_error
from pipeline.options import AsyncPipelineConfig
from pipeline.v1 import common_pb2

if TYPE_CHECKING:
    from pipeline.embedded import HostedPipeline

PHASE_SECONDS = 120.0
"""Deadline of one call; what happens inside has tighter ones."""


class PhaseCaller:
    """Starts one phase server in this process, or connects to the one at `target` (`PIPELINE_<PHASE>_TARGET`)."""

    phase: str

    def __init__(
        self,
        config: AsyncPipelineConfig | None = None,
        *,
        target: str | None = None,
        offline: bool | None = None,
        state_dir: Path | None = None,
    ) -> None:
        self.config = config if config is not None else AsyncPipelineConfig()
        self.target = target if target is not None else os.environ.get(f"PIPELINE_{self.phase.upper()}_TARGET", "")
        self.offline = offline if offline is not None else os.environ.get("PIPELINE_OFFLINE", "") in ("1", "true")
        self._state_dir = state_dir
        self._hosted: HostedPipeline | None = None
        self._channel: grpc.aio.Channel | None = None
        self._starting = asyncio.Lock()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def start(self) -> grpc.aio.Channel:
        """The channel to the server, which is started or connected to on the first call."""
        async with self._starting:
            if self._channel is None:
                target = self.target
                if not target:
                    from pipeline.embedded import EmbeddedOptions, HostedPipeline

                    hosted = HostedPipeline(
                        EmbeddedOptions(
                            state_dir=self._state_dir,
                            offline=self.offline,
                            phases=(self.phase,),
                            gateway=False,
                        )
                    )
                    await hosted.start()
                    self._hosted, target = hosted, hosted.embedded.servers[self.phase].address
                self._channel = open_channel(target)
            return self._channel

    async def close(self) -> None:
        """Stop what `start` started."""
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()
        hosted, self._hosted = self._hosted, None
        if hosted is not None:
            await hosted.stop()

    def context(self) -> common_pb2.PhaseContext:
        """The context of a call that belongs to no run."""
        return common_pb2.PhaseContext(
            phase=common_pb2.Phase.Value(f"PHASE_{self.phase.upper()}"),
            attempt=1,
            profile=self.config.to_profile(offline=self.offline),
        )

    async def stream(self, method: Callable[..., Any], request: Any) -> AsyncIterator[Any]:
        """Yield the replies of one call of a stub's unary-stream method; raises `PipelineError`."""
        call = method(request, timeout=PHASE_SECONDS, wait_for_ready=True)
        try:
            async for reply in call:
                yield reply
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error
        finally:
            # An abandoned response stream is never cancelled by grpc.aio itself (grpc/grpc#43462).
            call.cancel()
