"""`pipeline serve` starts nothing in vain: every port is looked at first."""

from __future__ import annotations

import socket

import pytest

from pipeline.errors import PipelineError
from pipeline.supervisor import check_ports
from tests.support.served import free_port


def test_a_port_that_two_servers_want_is_refused() -> None:
    """Pages and REST on one number cannot both be had."""
    port = free_port()
    with pytest.raises(PipelineError, match="wanted twice"):
        check_ports(port, port + 1, port + 1)


def test_a_page_port_in_use_is_named() -> None:
    """The sentence says what it was for."""
    port = free_port()
    with socket.create_server(("127.0.0.1", port + 2)), pytest.raises(PipelineError, match="landing pages"):
        check_ports(port, port + 1, port + 2)
