"""REST, server-sent events and WebSocket over the same service as gRPC."""
