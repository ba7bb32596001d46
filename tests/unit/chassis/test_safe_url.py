"""Addresses that somebody else wrote: which are asked, and as what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.safe_http import is_public
from chassis.safe_url import PORTS, UrlRefusedError, check_place, joined, read_url


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://example.org", "https://example.org"),
        ("HTTP://Example.ORG:80/a?b=c#d", "http://example.org/a?b=c"),
        ("https://8.8.8.8/x", "https://8.8.8.8/x"),
        ("https://[2606:4700::1111]/", "https://[2606:4700::1111]/"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("http://example.org:443/", "http://example.org:443/"),
    ],
)
def test_ordinary_addresses_are_read(url: str, text: str) -> None:
    """Names with a dot and public literals pass, normalised, without their fragment."""
    assert read_url(url).text == text


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "①②⑦.0.0.1",
        "127。0。0。1",
        "0",
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "192.168.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.88.99.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b::8.8.8.8]",
        "[64:ff9b:1::a00:1]",
        "[2002:7f00:1::]",
        "[2002:808:808::]",
        "[2001:0:7f00:1::]",
        "[2001:2::1]",
        "[2001:db8::1]",
        "[2606:4700::5efe:a00:1]",
        "[fe80::1]",
        "[fe80::1%25eth0]",
        "[2606:4700::1%25eth0]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fec0::1]",
        "[ff02::1]",
        "[100::1]",
        "[3fff::1]",
        "localhost",
        "localhost.",
        "metadata",
        "a.localhost",
        "metadata.google.internal",
        "printer.local",
        "%31%32%37.0.0.1",
    ],
)
def test_no_spelling_of_a_private_address_passes(host: str) -> None:
    """Loopback, private, link-local, tunnel and own-network places are refused in every spelling."""
    with pytest.raises(UrlRefusedError) as caught:
        read_url(f"http://{host}/latest/meta-data/")
    assert caught.value.metadata["cause"] == "address"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file:///etc/passwd",
        "ftp://example.org/",
        "gopher://example.org/",
        "javascript:alert(1)",
        "data:text/html,hi",
        "//example.org/",
        "example.org",
        "http://",
        "http://user@example.org/",
        "http://user:pass@example.org/",
        "http://@127.0.0.1/",
        "http://exa mple.org/",
        "http://example.org\\@127.0.0.1/",
        "http://example.org/\r\nHost: x",
        "http://example.org/\x00",
        "http://[::1/",
        "http://example.org:99999/",
        "http://example.org/" + "a" * 2_100,
        "http://\ud800.example/",
    ],
)
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    """Other schemes, user names, control characters and overlong addresses are refused, and the error is printable."""
    with pytest.raises(UrlRefusedError) as caught:
        read_url(url)
    assert caught.value.metadata["cause"] in ("url", "address")
    assert caught.value.metadata["url"].isprintable()


def test_only_the_web_s_ports() -> None:
    """A public host is asked at 80 and 443, so that no other service of it can be reached."""
    with pytest.raises(UrlRefusedError, match="port 6379"):
        read_url("http://example.org:6379/")
    assert {80, 443} == PORTS


def test_an_allowed_place_is_that_place_alone() -> None:
    """Allowed is the exact host and port: no other port, no other spelling, no other name."""
    allowed = {check_place("127.0.0.1:8080"), check_place("Intranet:9000"), check_place("[::1]:8080")}
    for url in ("http://127.0.0.1:8080/x", "http://intranet:9000/", "http://[::1]:8080/"):
        assert read_url(url, allowed).allowed
    for url in ("http://127.0.0.1:8081/", "http://127.1:8080/", "http://127.0.0.2:8080/", "http://intranet/"):
        with pytest.raises(UrlRefusedError):
            read_url(url, allowed)
    for place in ("127.0.0.1", "a:b@c:80", "http://x:80", "x:80/path", "", "x:99999"):
        with pytest.raises(ValueError, match="host:port"):
            check_place(place)


def test_redirects_are_read_from_where_they_stand() -> None:
    """A relative target keeps the origin; an absolute one is vetted like any address."""
    base = read_url("https://example.org/a/b?c")
    assert joined(base, "../d e").text == "https://example.org/d%20e"
    assert joined(base, "//example.net/x").text == "https://example.net/x"
    for target in ("http://169.254.169.254/", "//127.1/", "file:///etc/passwd", "http://[", "javascript:1"):
        with pytest.raises(UrlRefusedError):
            joined(base, target)


@given(st.text(max_size=60) | st.from_regex(r"https?://[0-9a-fx.:\[\]%@]{1,40}/?", fullmatch=True))
def test_whatever_is_written_is_refused_or_public(url: str) -> None:
    """No text makes the reader raise something else, and a literal that passes is public."""
    try:
        read = read_url(url)
    except UrlRefusedError:
        return
    assert read.port in PORTS
    assert is_public(read.host) or ("." in read.host and not read.host.replace(".", "").isdigit())
