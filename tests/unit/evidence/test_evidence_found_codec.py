"""Finds as bytes and back."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.v1 import common_pb2
from services.evidence.domain.model import Found
from services.evidence.found_codec import FoundCodec

_TEXT = st.text(alphabet=st.characters(codec=None))
_FIGURES = st.builds(common_pb2.Figure, value=st.floats(allow_nan=False), unit=st.text(max_size=5))
_FOUND = st.builds(
    Found,
    provider=_TEXT,
    url=_TEXT,
    title=_TEXT,
    text=_TEXT,
    source_type=st.sampled_from(common_pb2.SourceType.values()),
    author=_TEXT,
    published_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    year=st.integers(0, 3000),
    figure=st.none() | _FIGURES,
    baseline=st.none() | _FIGURES,
    more_is_better=st.none() | st.booleans(),
    product=st.none() | st.builds(common_pb2.ProductFact, name=st.text(max_size=5), stars=st.integers(0, 10**6)),
    spans=st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=3).map(tuple),
    fit=st.none() | st.floats(0, 1),
    confidence=st.floats(0, 1),
    votes=st.integers(0, 10**9),
    origin=st.sampled_from(common_pb2.TextOrigin.values()),
    flags=st.lists(st.sampled_from(common_pb2.SourceFlag.values()), max_size=2).map(tuple),
)


@given(st.lists(_FOUND, max_size=4).map(tuple))
def test_finds_round_trip(finds: tuple[Found, ...]) -> None:
    """Whatever a provider found comes back equal, odd characters and messages included."""
    assert FoundCodec().decode(FoundCodec().encode(finds)) == finds


def test_every_field_is_kept() -> None:
    """No field of a find is left out: one with all of them set differs from its default in each."""
    full = Found(
        "p", "u", "t", "x", common_pb2.SOURCE_TYPE_COMMUNITY, "a", datetime(2026, 1, 1, tzinfo=UTC), 2026,
        common_pb2.Figure(value=1), common_pb2.Figure(value=2), True, common_pb2.ProductFact(name="n"), ((1, 2),),
        0.4, "why", 0.9, 7, common_pb2.TEXT_ORIGIN_SEARCH_SNIPPET, (common_pb2.SourceFlag.values()[-1],),
    )  # fmt: skip
    (back,) = FoundCodec().decode(FoundCodec().encode((full,)))
    bare = Found("", "", "", "", common_pb2.SOURCE_TYPE_UNSPECIFIED)
    for field in fields(Found):
        assert getattr(back, field.name) == getattr(full, field.name) != getattr(bare, field.name), field.name


@pytest.mark.parametrize(
    "data",
    [b"", b'{"record":"Found","fields":[1]}', b'{"record":"Lost","fields":[]}', b'{"message":"x","wire":""}', b"\xff"],
)
def test_foreign_bytes_are_refused(data: bytes) -> None:
    """Bytes of another form raise what a cache takes for a miss."""
    with pytest.raises((ValueError, KeyError, TypeError)):
        FoundCodec().decode(data)
