"""What the deck says: plans, statements, market, money and quality. No gRPC, no I/O."""
