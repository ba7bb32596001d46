"""`python -m gateway`: configuration, build, run."""

from __future__ import annotations

from chassis.lifecycle import main
from gateway.config import GatewayConfig
from gateway.server import build

if __name__ == "__main__":
    main(build, GatewayConfig)
