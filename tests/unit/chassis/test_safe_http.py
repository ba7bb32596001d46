"""Which addresses may be connected to."""

from __future__ import annotations

import socket

import pytest

from chassis.safe_http import AddressRefusedError, is_public, public_sockets_only


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_pass(address: str) -> None:
    """Ordinary public addresses are let through."""
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
        "2130706433",
        "0177.0.0.1",
        "localhost",
        "",
    ],
)
def test_private_local_and_tunnelled_addresses_do_not(address: str) -> None:
    """Private, local, multicast and tunnel addresses, odd notations and names are refused."""
    assert not is_public(address)


def test_sockets_for_public_addresses_only() -> None:
    """The socket factory refuses before a socket exists."""
    with pytest.raises(AddressRefusedError):
        public_sockets_only((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 80)))
    made = public_sockets_only((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 80)))
    made.close()
