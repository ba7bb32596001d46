"""One gRPC client per phase server, each behind its own breaker and with its own deadline."""
