"""Pure judgement of an idea: criteria, knock-outs, verdict, duplicates; no gRPC, no I/O."""
