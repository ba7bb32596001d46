"""Which addresses a fetched page or a redirect may lead to.

A resolver is not asked for IP literals, so the check stands where the socket is made: nothing connects to an
address that was not vetted, whatever a name resolves to the second time.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from typing import Any

# `is_global` takes some of these for public, and which ones depends on the release of Python: they are written out.
# Sources: the IANA special-purpose address registries (RFC 6890) and the RFCs named.
_REFUSED_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network, RFC 791
        "10.0.0.0/8",  # private, RFC 1918
        "100.64.0.0/10",  # carrier-grade NAT, RFC 6598
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local; metadata servers of clouds
        "172.16.0.0/12",  # private, RFC 1918
        "192.0.0.0/24",  # protocol assignments, RFC 6890
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays, RFC 7526
        "192.168.0.0/16",  # private, RFC 1918
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks, RFC 2544
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
# Of IPv6 only global unicast is ordinary. That leaves out ::/8 (loopback, IPv4-compatible), 64:ff9b::/96 and
# 64:ff9b:1::/48 (NAT64), 100::/64 (discard), fc00::/7 (unique local), fe80::/10, fec0::/10 and ff00::/8.
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_REFUSED_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries an IPv4 address
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation, RFC 9637
    )
)
# The middle of an interface identifier that carries an IPv4 address (ISATAP, RFC 5214), universal bit cleared.
_ISATAP = 0x5EFE


class AddressRefusedError(OSError):
    """The address is private, local or a tunnel to such."""


class UnknownHostError(OSError):
    """No such name: the domain does not exist, or has no address."""


def is_public(address: str) -> bool:
    """Whether this IP address is an ordinary public unicast one (no scope, no tunnel, no mapped private address)."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not any(ip in network for network in _REFUSED_V4)
    if ip.ipv4_mapped is not None:
        return ip.scope_id is None and is_public(str(ip.ipv4_mapped))
    if ip.scope_id is not None or ip not in _GLOBAL_UNICAST or any(ip in network for network in _REFUSED_V6):
        return False
    isatap = (int(ip) >> 32) & 0xFDFFFFFF == _ISATAP
    return ip.is_global and not isatap


def public_sockets_only(info: Sequence[Any]) -> socket.socket:
    """A `socket_factory` for aiohttp's TCPConnector that makes sockets for public addresses alone."""
    family, kind, protocol, _, peer = info
    scoped = family == socket.AF_INET6 and len(peer) > 3 and peer[3]
    if scoped or not is_public(str(peer[0])):
        raise AddressRefusedError(f"{peer[0]} is not a public address")
    return socket.socket(family, kind, protocol)
