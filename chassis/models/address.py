"""Whether a model's address is this machine's: what offline runs may still ask."""

from __future__ import annotations

import ipaddress


def is_this_machine(host: str) -> bool:
    """True for loopback addresses and `localhost`: reaching them asks no DNS and leaves nothing."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
