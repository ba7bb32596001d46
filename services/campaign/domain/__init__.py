"""Pure logic of the campaign: no gRPC, no I/O. Contract messages serve as data."""
