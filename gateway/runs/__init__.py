"""What the gateway remembers: runs, events, checkpoints, the ledger, leases, artifacts."""
