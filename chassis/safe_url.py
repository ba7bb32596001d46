"""Reading a web address that somebody else wrote: what will be asked, or why it will not be.

The address is read by the same parser that the HTTP client uses (yarl), and the client is given what that parser
understood: there is no second reading that could differ from the one that was vetted.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chassis.safe_http import is_public
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

if TYPE_CHECKING:
    from yarl import URL

# What browsers and servers agree on; no source that can be quoted has a longer one.
URL_CHARS_MAX = 2_048
PORTS = frozenset({80, 443})
_CONTROLS = re.compile(r"[\x00-\x20\x7f\\]")
# The last label of a name is never a number: what looks like one is an IPv4 address in some spelling, decimal, octal,
# hexadecimal or shortened (WHATWG URL standard, "ends in a number").
_ENDS_IN_NUMBER = re.compile(r"(?:^|\.)(?:[0-9]+|0[xX][0-9a-fA-F]*)\.?$")
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}))+\.?")


class UrlRefusedError(PipelineError):
    """The address is not asked. `cause` is "url" (it cannot be used) or "address" (it is not public)."""

    def __init__(self, message: str, cause: str, url: str) -> None:
        super().__init__(
            errors_pb2.ERROR_REASON_UPSTREAM_FAILED, message, metadata={"cause": cause, "url": _printable(url)}
        )


@dataclass(frozen=True)
class SafeUrl:
    """An address as it will be asked: scheme http or https, host in lower case and ASCII, without a fragment."""

    text: str
    scheme: str
    host: str
    port: int
    # It is one of the places that the operator allows by name.
    allowed: bool

    @property
    def place(self) -> str:
        """ "host:port"."""
        return f"{_bracketed(self.host)}:{self.port}"

    @property
    def origin(self) -> str:
        """ "https://host:port"."""
        return f"{self.scheme}://{self.place}"


def read_url(url: str, allowed: Collection[str] = frozenset(), ports: Collection[int] = PORTS) -> SafeUrl:
    """The address, vetted without asking a resolver; raises UrlRefusedError.

    `allowed`: exact "host:port" places that may be asked although they are not public or have another port; a host
    that is IPv6 stands in brackets. Everything else needs port 80 or 443 and a public address or a name with a dot.
    """
    from yarl import URL

    if len(url) > URL_CHARS_MAX:
        raise UrlRefusedError(f"the address has {len(url):,} characters; {URL_CHARS_MAX:,} are read", "url", url)
    if _CONTROLS.search(url):
        raise UrlRefusedError("the address holds a space, a backslash or a control character", "url", url)
    try:
        parsed = URL(url).with_fragment(None)
        host, port = parsed.raw_host or "", parsed.port or 0
    except (ValueError, IndexError) as exc:  # yarl lets the latter through
        raise UrlRefusedError("the address cannot be read", "url", url) from exc
    if parsed.scheme not in ("http", "https") or not host:
        raise UrlRefusedError("the address is not http or https", "url", url)
    if parsed.raw_user is not None or parsed.raw_password is not None:
        raise UrlRefusedError("the address holds a user name", "url", url)
    host = host.lower()
    place = f"{_bracketed(host)}:{port}"
    named = place in allowed
    if not named:
        _vet(host, port, url, ports)
    return SafeUrl(str(parsed), parsed.scheme, host, port, named)


def joined(
    base: SafeUrl, target: str, allowed: Collection[str] = frozenset(), ports: Collection[int] = PORTS
) -> SafeUrl:
    """Where a redirect from `base` leads, vetted the same; raises UrlRefusedError."""
    from yarl import URL

    try:
        # A server may write what a person would not type; spaces and such are encoded as a browser does.
        absolute: URL = URL(base.text).join(URL(target.strip()))
        return read_url(str(absolute), allowed, ports)
    except (ValueError, IndexError) as exc:  # yarl lets the latter through
        raise UrlRefusedError("the redirect leads to an address that cannot be read", "url", target) from exc


def check_place(place: str) -> str:
    """An entry of the allow list as it is compared; raises ValueError with the mend."""
    from yarl import URL

    try:
        parsed = URL(f"http://{place.strip()}")
        host, port = parsed.raw_host, parsed.explicit_port
    except (ValueError, IndexError):
        host = port = None
    if not host or not port or parsed.raw_user is not None or parsed.raw_path not in ("", "/"):
        raise ValueError(f"{place!r} is not a place; write host:port, for example intranet.example:8080")
    return f"{_bracketed(host.lower())}:{port}"


def _vet(host: str, port: int, url: str, ports: Collection[int]) -> None:
    if port not in ports:
        asked = " and ".join(str(number) for number in sorted(ports))
        raise UrlRefusedError(f"the address has port {port}; {asked} are asked", "address", url)
    if ":" in host or _ENDS_IN_NUMBER.search(host):
        if not is_public(host):
            raise UrlRefusedError("the address is not public", "address", url)
        return
    if not _NAME.fullmatch(host):
        # "localhost", a machine of the own network, or a name with an escape in it.
        raise UrlRefusedError("the address names no public host", "address", url)
    if host.rstrip(".").endswith((".localhost", ".local", ".internal", ".home.arpa")):
        raise UrlRefusedError("the address names a host of a private network", "address", url)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _printable(url: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in url[:150])
