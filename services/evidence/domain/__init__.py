"""Pure logic of the evidence service: no gRPC, no I/O, no clock."""
