"""Which addresses a fetched page or a redirect may lead to.

A resolver is not asked for IP literals, so the check stands where the socket is made: nothing connects to an
address that was not vetted, whatever a name resolves to the second time.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from typing import Any

# Ranges that carry an IPv4 address inside and that `is_global` takes for public.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")
_SIX_TO_FOUR = ipaddress.ip_network("2002::/16")
_TEREDO = ipaddress.ip_network("2001::/32")


class AddressRefusedError(OSError):
    """The address is private, local or a tunnel to such."""


def is_public(address: str) -> bool:
    """Whether this IP address is an ordinary public unicast one (no tunnel, no mapped private address)."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if any(ip in network for network in (_NAT64, _NAT64_LOCAL, _SIX_TO_FOUR, _TEREDO)):
            return False
    return ip.is_global and not ip.is_multicast


def public_sockets_only(info: Sequence[Any]) -> socket.socket:
    """A `socket_factory` for aiohttp's TCPConnector that makes sockets for public addresses alone."""
    family, kind, protocol, _, peer = info
    if not is_public(str(peer[0])):
        raise AddressRefusedError(f"{peer[0]} is not a public address")
    return socket.socket(family, kind, protocol)
