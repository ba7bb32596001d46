"""Addresses that lead inside (faults.md, rows 37 and 38): redirects, odd spellings, rebinding.

"No packet leaves" is asserted at sockets: listeners on loopback stand for what must not be reached and see no
connection, a socket factory writes down every address that a socket was wanted for, and the network guard of the
test session fails what would leave loopback.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from chassis.testing import NetworkGuard
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2
from tests.support.pages import Names, Sockets, Target, failure, fetcher, site

SPELLINGS = (
    "127.0.0.2",
    "127.0.2",
    "2130706434",
    "0x7f000002",
    "0x7f.0x0.0x0.0x2",
    "0177.0.0.02",
    "017700000002",
    "①②⑦.0.0.2",
    "127。0。0。2",
    "[::ffff:127.0.0.2]",
    "[::ffff:7f00:2]",
    "[::127.0.0.2]",
    "[64:ff9b::127.0.0.2]",
    "[2002:7f00:2::]",
    "[::1]",
    "localhost",
)


@pytest.fixture
def targets() -> Iterator[list[Target]]:
    """Listeners on other addresses of loopback; whoever connects fails the test."""
    found = [Target("127.0.0.2"), Target("127.0.0.1")]
    with contextlib.suppress(OSError):  # a machine without IPv6
        found.append(Target("::1"))
    yield found
    touched = [target for target in found if target.touched]
    for target in found:
        target.close()
    assert not touched, "a blocked address was connected to"


def test_a_target_notices_a_connection() -> None:
    """The listener that stands for a blocked address sees whoever comes, without having to accept."""
    import socket

    target = Target()
    assert not target.touched
    with socket.create_connection(("127.0.0.1", target.port), timeout=5):
        assert target.touched
    target.close()


@pytest.mark.parametrize("host", SPELLINGS)
async def test_no_spelling_reaches_a_private_address(host: str, targets: list[Target], guard: NetworkGuard) -> None:
    """Row 38: a private address is refused in every spelling before a name is resolved or a socket made."""
    names, sockets = Names(), Sockets()
    async with fetcher(ports={t.port for t in targets}, lookup=names, sockets=sockets) as subject:
        for target in targets:
            url = f"http://{host}:{target.port}/"
            assert (await failure(subject, url)).metadata["cause"] == "address"
            assert await subject.check(url) == common_pb2.LINK_STATUS_BLOCKED
    assert (names.asked, sockets.wanted, guard.violations) == ([], [], [])


@pytest.mark.parametrize("host", [*SPELLINGS, "169.254.169.254", "10.0.0.1", "192.168.1.1", "100.64.0.1", "[fd00::1]"])
@pytest.mark.parametrize("hops", [1, 3])
async def test_a_redirect_to_a_private_address_is_blocked_at_every_hop(
    host: str, hops: int, targets: list[Target], guard: NetworkGuard
) -> None:
    """Row 37: an allowed site may redirect anywhere; nothing private is connected to, after one hop or three."""
    port = targets[0].port
    asked: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.path)
        left = int(request.path.strip("/"))
        target = f"/{left - 1}" if left > 1 else f"http://{host}:{port}/latest/meta-data/"
        return web.Response(status=302, headers={"Location": target})

    names, sockets = Names(), Sockets()
    async with (
        site(handler) as place,
        fetcher(place, ports={port}, lookup=names, sockets=sockets) as subject,
    ):
        assert (await failure(subject, f"http://{place}/{hops}")).metadata["cause"] == "address"
        assert await subject.check(f"http://{place}/{hops}") == common_pb2.LINK_STATUS_BLOCKED
    assert asked[:hops] == [f"/{n}" for n in range(hops, 0, -1)]
    assert (names.asked, sockets.wanted, guard.violations) == ([], [], [])


async def test_a_name_that_leads_to_a_private_address_is_not_connected_to(targets: list[Target]) -> None:
    """Row 37: what a name resolves to is vetted, whichever private address it is."""
    places = {
        "loop.example": "127.0.0.2",
        "six.example": "::1",
        "meta.example": "169.254.169.254",
        "lan.example": "10.1.2.3",
        "nat.example": "64:ff9b::7f00:2",
        "mapped.example": "::ffff:127.0.0.2",
        "cast.example": "224.0.0.1",
    }
    names = Names(**{name.replace(".", "_"): [[address]] for name, address in places.items()})
    sockets = Sockets()
    async with fetcher(ports={targets[0].port}, lookup=names, sockets=sockets) as subject:
        for name in places:
            error = await failure(subject, f"http://{name}:{targets[0].port}/")
            assert error.metadata["cause"] == "address", name
    assert sockets.wanted == []


async def test_rebinding_between_the_check_and_the_connection(targets: list[Target]) -> None:
    """Row 38: a name that is public at first and private the second time is never connected to at the private one.

    robots.txt is asked for at the public address; by then the name has changed and the cache was emptied.
    """
    port = targets[0].port
    names = Names(rebind_example=[["93.184.216.34"], ["127.0.0.2"]])
    sockets = Sockets()
    async with fetcher(ports={port}, lookup=names, sockets=sockets) as subject:
        assert (await failure(subject, f"http://rebind.example:{port}/")).metadata["cause"] == "connect"
        await subject.dns_cache.clear()
        await subject.robots_cache.clear()
        assert (await failure(subject, f"http://rebind.example:{port}/")).metadata["cause"] == "address"
    assert len(names.asked) == 2
    assert set(sockets.wanted) == {"93.184.216.34"}


async def test_a_name_with_public_and_private_addresses(targets: list[Target]) -> None:
    """Row 38: of several addresses only the public ones are tried."""
    port = targets[0].port
    names = Names(both_example=[["127.0.0.2", "93.184.216.34", "::1", "10.0.0.1"]])
    sockets = Sockets()
    async with fetcher(ports={port}, lookup=names, sockets=sockets) as subject:
        assert (await failure(subject, f"http://both.example:{port}/")).metadata["cause"] == "connect"
    assert set(sockets.wanted) == {"93.184.216.34"}


async def test_the_socket_is_the_last_word(targets: list[Target]) -> None:
    """Row 38: even a resolver that vets nothing leads to no private connection, since sockets are vetted."""
    import aiohttp

    from chassis.pool import HttpPool
    from chassis.safe_http import public_sockets_only

    class Careless(aiohttp.abc.AbstractResolver):
        async def resolve(self, host: str, port: int = 0, family: Any = 0) -> Any:
            return [{"hostname": host, "host": "127.0.0.2", "port": port, "family": 2, "proto": 0, "flags": 0}]

        async def close(self) -> None:
            return None

    pool = HttpPool("pages", socket_factory=public_sockets_only, resolver=Careless, total_timeout=5)
    with pytest.raises(PipelineError) as caught:
        await pool.request("GET", f"http://public.example:{targets[0].port}/")
    await pool.close()
    assert caught.value.metadata["cause"] == "address"


async def test_what_is_allowed_for_one_name_is_not_for_another(targets: list[Target]) -> None:
    """An allowed intranet place opens nothing else: not its neighbour's port, not another name for its address."""

    async def handler(_: web.Request) -> web.Response:
        return web.Response(text="intranet", content_type="text/plain")

    async with site(handler) as place:
        port = int(place.rpartition(":")[2])
        names, sockets = Names(evil_example=[["127.0.0.1"]]), Sockets()
        async with fetcher(place, ports={port, targets[0].port}, lookup=names, sockets=sockets) as subject:
            assert (await subject.fetch(f"http://{place}/")).body == b"intranet"
            for url in (f"http://evil.example:{port}/", f"http://127.0.0.2:{targets[0].port}/"):
                assert (await failure(subject, url)).metadata["cause"] == "address"
    assert sockets.wanted == []
