"""Who publishes a page, told by its address."""

from __future__ import annotations

import pytest

from pipeline.v1 import common_pb2
from services.evidence.domain.source_types import source_type


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://www.bls.gov/news.release/empsit.nr0.htm", "GOVERNMENT"),
        ("https://ons.gov.uk/economy", "GOVERNMENT"),
        ("https://www.stat.go.jp/english/", "GOVERNMENT"),
        ("https://ec.europa.eu/eurostat", "GOVERNMENT"),
        ("https://arxiv.org/abs/2401.00001", "SCHOLARLY"),
        ("https://doi.org/10.1000/182", "SCHOLARLY"),
        ("https://pubmed.ncbi.nlm.nih.gov/1", "SCHOLARLY"),
        ("https://cs.stanford.edu/papers/x.pdf", "SCHOLARLY"),
        ("https://www.ox.ac.uk/research", "SCHOLARLY"),
        ("https://en.wikipedia.org/wiki/Food_waste", "REFERENCE"),
        ("https://www.statista.com/statistics/1", "INDUSTRY_REPORT"),
        ("https://www.reuters.com/markets/", "NEWS"),
        ("https://www.bbc.co.uk/news/1", "NEWS"),
        ("https://news.example.de/a", "NEWS"),
        ("https://www.g2.com/products/x", "DIRECTORY"),
        ("https://old.reddit.com/r/x", "COMMUNITY"),
        ("https://coffee.stackexchange.com/questions/6402", "COMMUNITY"),
        ("https://forum.example.de/t/1", "COMMUNITY"),
        ("https://someone.substack.com/p/x", "COMMUNITY"),
        ("https://www.breville.com/us/en/blog", "COMPANY"),
        ("https://shop.example.co.uk/", "COMPANY"),
        ("https://example.org/page/1", "UNSPECIFIED"),
        ("http://127.0.0.1:8080/page/1", "UNSPECIFIED"),
    ],
)
def test_an_address_says_who_publishes(url: str, kind: str) -> None:
    """The most specific entry of the table wins; what nobody knows stays unknown."""
    assert common_pb2.SourceType.Name(source_type(url)) == f"SOURCE_TYPE_{kind}"


@pytest.mark.parametrize(
    "url",
    [
        "https://reddit.com.evil.example/r/x",
        "https://bls.gov.evil.example/",
        "https://notarxiv.org/abs/1",
        "https://cs.stanford.edu/~someone/rant.html",
        "https://evil.example/?u=https://www.reuters.com/",
    ],
)
def test_a_borrowed_name_earns_no_trust(url: str) -> None:
    """A known name in front, in a query, glued to another word, or above a person's own page does not count."""
    assert source_type(url) == common_pb2.SOURCE_TYPE_UNSPECIFIED


@pytest.mark.parametrize("url", ["", "com", "https://com", "http://[::1", "https://", "mailto:a@b.com", "://x"])
def test_what_is_no_address_has_no_publisher(url: str) -> None:
    """Broken addresses are unknown, never an error."""
    assert source_type(url) == common_pb2.SOURCE_TYPE_UNSPECIFIED


def test_case_port_and_final_dot_change_nothing() -> None:
    """The same host however it is written."""
    assert source_type("HTTPS://WWW.Reuters.COM.:443/x") == common_pb2.SOURCE_TYPE_NEWS
