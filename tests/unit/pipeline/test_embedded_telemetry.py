"""What embedded servers still owe their collector when they stop."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from chassis.channel import open_channel
from pipeline.embedded import EmbeddedOptions, EmbeddedPipeline
from pipeline.v1 import validation_pb2, validation_pb2_grpc


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps the names of the spans that it is sent."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def Export(self, request: Any, context: Any) -> trace_service_pb2.ExportTraceServiceResponse:
        for resource in request.resource_spans:
            self.names += [span.name for scope in resource.scope_spans for span in scope.spans]
        return trace_service_pb2.ExportTraceServiceResponse()


async def test_closing_embedded_servers_exports_their_last_spans(tmp_path: Path) -> None:
    """Spans of the last seconds reach the collector: they are flushed when the servers close."""
    collector = Collector()
    # A server with threads of its own, as a collector elsewhere has: the flush blocks this loop.
    server = grpc.server(ThreadPoolExecutor(1))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    settings = {"otlp_endpoint": f"http://127.0.0.1:{port}", "embedder": "none"}
    options = EmbeddedOptions(
        state_dir=tmp_path, offline=True, phases=("validation",), gateway=False, settings=settings
    )
    async with EmbeddedPipeline(options) as embedded, open_channel(embedded.servers["validation"].address) as channel:
        stub: Any = validation_pb2_grpc.ValidationServiceStub(channel)
        request = validation_pb2.ValidateIdeaRequest()
        request.idea.text = "A tool that helps bakeries plan how much bread to bake"
        assert [reply async for reply in stub.ValidateIdea(request, timeout=20)]
    server.stop(0)
    assert "pipeline.v1.ValidationService/ValidateIdea" in collector.names
