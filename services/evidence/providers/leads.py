"""What the web searches share: words to ask with, and a result as a lead to a page.

A lead's text is the engine's excerpt. It says where to look, and is never what is quoted: the page is read first.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from pipeline.v1 import common_pb2
from services.evidence.domain.model import Found, Query
from services.evidence.domain.source_types import source_type
from services.evidence.providers import questions, reading

# Results asked for: a page of every engine, and one credit at each price list.
HITS = 10
WORDS_MAX = 7
SNIPPET_CHARS_MAX = 2_000
TITLE_CHARS_MAX = 300
URL_CHARS_MAX = 2_000
# The rules that judge a page read English.
LANGUAGE = "en"

# What a person would add to find pages that answer this kind of claim.
HINTS: dict[int, str] = {
    common_pb2.CLAIM_KIND_PROBLEM: "problem",
    common_pb2.CLAIM_KIND_AUDIENCE: "survey",
    common_pb2.CLAIM_KIND_MARKET_SIZE: "market size",
    common_pb2.CLAIM_KIND_COMPETITION: "alternatives",
    common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY: "pricing",
    common_pb2.CLAIM_KIND_FEASIBILITY: "how to",
    common_pb2.CLAIM_KIND_TIMING: "trend",
}

_AGO = re.compile(r"(\d{1,3}) (minute|hour|day|week|month|year)s? ago", re.IGNORECASE)
_AGO_DAYS = {"minute": 0.0, "hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.4, "year": 365.25}
_ENGLISH_DATES = ("%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y")


def web_words(query: Query) -> str:
    """The words to search the web with: at most seven that say something, and a hint at the kind of claim."""
    words = questions.whole_words(query, WORDS_MAX)
    return " ".join([*words, *([hint] if (hint := HINTS.get(query.kind)) else [])]) if words else ""


def web_url(value: object) -> str:
    """An http(s) address with a host and no credentials; "" for anything else."""
    if not isinstance(value, str):
        return ""
    url = value.strip()
    if len(url) > URL_CHARS_MAX or any(c.isspace() or not c.isprintable() for c in url):
        return ""
    try:
        parts = urlsplit(url)
        fit = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return ""
    return url if fit else ""


def lead(
    provider: str,
    engine: str,
    *,
    url: object,
    title: object,
    snippet: object,
    place: int,
    published_at: datetime | None = None,
    author: str = "",
) -> Found | None:
    """A web result in plain text; None where it has no usable address or says nothing. `place` counts from 1."""
    address = web_url(url)
    name = reading.line(title, TITLE_CHARS_MAX)
    said = reading.line(snippet, SNIPPET_CHARS_MAX) or name
    if not address or not said:
        return None
    return Found(
        provider=provider,
        url=address,
        title=name or address[:TITLE_CHARS_MAX],
        text=said,
        source_type=source_type(address),
        author=author,
        published_at=published_at,
        why=f"Result {place} of {engine}.",
        # A rank says that words met, not that the page is right: the kind of source decides alone.
        confidence=0.3,
        origin=common_pb2.TEXT_ORIGIN_SEARCH_SNIPPET,
    )


def moment(value: object, now: datetime) -> datetime | None:
    """A result's date in any form that the engines give: ISO, "Jun 1, 2023", an e-mail date, "10 hours ago".

    Relative ages are taken to the day, so that the same answer reads the same all day. None where it says no date.
    """
    if not isinstance(value, str) or not value.strip() or len(value) > 60:
        return None
    said = value.strip()
    if (ago := _AGO.fullmatch(said)) is not None:
        past = now - timedelta(days=int(ago[1]) * _AGO_DAYS[ago[2].lower()])
        return past.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if (exact := reading.moment(said)) is not None:
        return exact
    for form in _ENGLISH_DATES:
        try:
            return datetime.strptime(said, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    try:
        sent = parsedate_to_datetime(said)
    except (ValueError, OverflowError):
        return None
    return sent.replace(tzinfo=UTC) if sent.tzinfo is None else sent.astimezone(UTC)
