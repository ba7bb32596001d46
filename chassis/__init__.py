"""What every server shares: bootstrap, errors on the wire, deadlines, telemetry, resilience, limits.

The chassis imports `pipeline.v1` and `pipeline.errors` of ours and nothing else; services and the gateway
stand on it. Start with `chassis.server.Server` (one bootstrap for all servers) and `chassis.lifecycle.main`
(one process).
"""
