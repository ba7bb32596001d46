"""Names to addresses for pages that somebody else names: cached, and public addresses only.

The socket factory (`chassis.safe_http.public_sockets_only`) vets the address that is connected to; refusing here as
well means that a name with no public address never gets that far, and that a name that has some of both is reached
at the public ones.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from aiohttp.abc import AbstractResolver, ResolveResult

from chassis.cache import Cache
from chassis.safe_http import AddressRefusedError, UnknownHostError, is_public

# Answers kept: a run reads a few dozen hosts.
DNS_ENTRIES_MAX = 1_000
# As long as browsers keep one; what a name resolves to later is vetted like the first answer.
DNS_TTL_SECONDS = 300.0
_NO_SUCH_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


class Address(NamedTuple):
    """One address of a name."""

    family: socket.AddressFamily
    host: str


Lookup = Callable[[str], Awaitable[Sequence[Address]]]


async def system_lookup(host: str) -> Sequence[Address]:
    """Asks the system's resolver; raises UnknownHostError where the name does not exist, else OSError."""
    loop = asyncio.get_running_loop()
    try:
        infos = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    except socket.gaierror as exc:
        if exc.errno in _NO_SUCH_NAME:
            raise UnknownHostError(f"{host} does not exist") from exc
        raise
    found: list[Address] = []
    for family, _, _, _, peer in infos:
        scoped = family == socket.AF_INET6 and len(peer) > 3 and peer[3]
        if family in (socket.AF_INET, socket.AF_INET6) and not scoped:
            found.append(Address(family, str(peer[0])))
    return tuple(found)


class PublicResolver(AbstractResolver):
    """The resolver of one pool. `lookup` is asked where the cache has no answer."""

    def __init__(self, cache: Cache, lookup: Lookup = system_lookup) -> None:
        self._cache = cache
        self._lookup = lookup

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The public addresses of `host`; raises AddressRefusedError where it has others only."""
        addresses = await self._cache.get_or_compute(host.lower().rstrip("."), lambda: self._lookup(host))
        public = [a for a in addresses if is_public(a.host) and family in (socket.AF_UNSPEC, a.family)]
        if not public:
            raise AddressRefusedError(f"{host} has no public address")
        return [
            ResolveResult(hostname=host, host=a.host, port=port, family=a.family, proto=0, flags=socket.AI_NUMERICHOST)
            for a in public
        ]

    async def close(self) -> None:
        """Nothing to close: the cache is its maker's."""
