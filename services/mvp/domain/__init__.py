"""Pure logic of the MVP service: specification, rendering, report. No grpc, no I/O but reading its own templates."""
