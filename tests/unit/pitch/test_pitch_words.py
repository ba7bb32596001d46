"""Grammar of slot-filled sentences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pitch.domain import words


@pytest.mark.parametrize(
    ("phrase", "plural"),
    [
        ("households", True),
        ("people who cook", True),
        ("teams that run AI agents in production", True),
        ("students and tutors", True),
        ("a founder", False),
        ("everyone who cooks and eats", False),
        ("the business", False),
    ],
)
def test_verbs_agree_with_the_audience(phrase: str, plural: bool) -> None:
    """The head noun decides, not the last word."""
    assert words.agree(phrase, "struggle", "struggles") == ("struggle" if plural else "struggles")


def test_only_web_addresses_become_links() -> None:
    """Anything but http and https stays text."""
    assert words.is_web_address("https://example.org/a")
    for address in ("javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//example.org", "http://[", ""):
        assert not words.is_web_address(address)


@given(st.text(max_size=400), st.integers(min_value=8, max_value=120))
def test_cleaned_text_is_one_bounded_line(text: str, limit: int) -> None:
    """Control, bidi and zero-width characters go; the limit holds."""
    cleaned = words.clean(text, limit)
    assert len(cleaned) <= limit
    assert not any(ch in cleaned for ch in "\n\r\t\x00\u202e\u200b\ufeff")


def test_sentences_end_once() -> None:
    """A mark that is there is not doubled."""
    assert words.sentence("it works") == "It works."
    assert words.sentence("does it?") == "Does it?"
    assert words.sentence("“It works.”") == "“It works.”"
