"""The bytes of a page to its text: the article, its title, author and date, and what is wrong with it.

Runs in a process of its own (`page_worker`), since no parser of HTML or PDF is bounded in time for hostile input.
"""

from __future__ import annotations

import codecs
import io
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pipeline.v1 import common_pb2
from services.evidence.domain import hostile
from services.evidence.domain.model import SourceFlag
from services.evidence.providers.extract import UnreadableError, extract, html_to_text
from services.evidence.providers.hidden import DEPTH_MAX, ELEMENTS_MAX, depth, visible_html

# What is kept of one page: forty pages of print. Passages are looked for in all of it.
TEXT_CHARS_MAX = 200_000
TITLE_CHARS_MAX = 300
AUTHOR_CHARS_MAX = 200
# Before it there was no web; a PDF may have been scanned from something older, whose date its metadata does not know.
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
# Clocks differ, and time zones: a page from tomorrow is one from today.
_AHEAD = timedelta(days=1)
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
# Encodings of texts; Python knows others (utf-7, punycode, escapes) that would let a page say what it does not show.
_TEXT_ENCODINGS = re.compile(
    r"utf-?8.*|utf-?16.*|utf-?32.*|us-ascii|ascii|iso8859.*|cp\d+|koi8.*|mac-?\w+|big5.*|gb\w+|euc.*|shift_jis.*|"
    r"iso2022_(?:jp|kr).*|tis-620|hz|johab"
)
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True)
class PageText:
    """A page as it is quoted. `text` is `hostile.clean`: paragraphs apart by an empty line, offsets in code points."""

    text: str
    title: str = ""
    author: str = ""
    published_at: datetime | None = None
    flags: tuple[SourceFlag, ...] = ()


def read_page(media_type: str, charset: str, body: bytes, now: datetime) -> PageText:
    """The text of a fetched body of one of `chassis.safe_fetch.MEDIA_TYPES`.

    `charset` is the one that the transfer named, "" for none; `now` bounds dates. Raises UnreadableError, whose text
    completes "the page ...".
    """
    if media_type == "application/pdf":
        return _pdf(body, now)
    text = decoded(body, charset)
    if media_type == "text/plain":
        return _page(text.replace("\f", "\n\n"), "", "", None, set())
    return _html(text, now)


def decoded(body: bytes, charset: str) -> str:
    """The body as text: by its byte order mark, the transfer's charset, its <meta>, UTF-8, or Windows-1252."""
    for mark, name in _MARKS:
        if body.startswith(mark):
            return body.decode(name, "replace")
    named = _META_CHARSET.search(body[:4_096])
    for name in (charset, named[1].decode("ascii") if named else ""):
        codec = _codec(name)
        if codec:
            return body.decode(codec, "replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def _codec(name: str) -> str:
    """Python's name of a text encoding; "" for none. As browsers do, Latin-1 is read as Windows-1252."""
    try:
        known = codecs.lookup(name).name if name else ""
    except (LookupError, ValueError):
        return ""
    if known in ("iso8859-1", "ascii"):
        return "cp1252"
    return known if _TEXT_ENCODINGS.fullmatch(known) else ""


def _html(html: str, now: datetime) -> PageText:
    if depth(html) > DEPTH_MAX:
        raise UnreadableError("nests its elements too deeply to be read")
    seen = visible_html(html)
    flags: set[SourceFlag] = set()
    if seen.hidden_prose:
        flags.add(common_pb2.SOURCE_FLAG_HIDDEN_TEXT)
    if seen.hidden_orders:
        flags.add(common_pb2.SOURCE_FLAG_INSTRUCTIONS)
    if seen.invisible:
        flags.add(common_pb2.SOURCE_FLAG_INVISIBLE_CHARACTERS)
    if seen.elements > ELEMENTS_MAX:
        return _page(html_to_text(seen.html), "", "", None, flags)
    from trafilatura import bare_extraction

    article = bare_extraction(
        seen.html,
        with_metadata=True,
        include_comments=False,
        date_extraction_params={
            # Only what the page states as its date, not any number that looks like one.
            "extensive_search": False,
            "original_date": True,
            "outputformat": "%Y-%m-%d",
            "min_date": _EARLIEST.date().isoformat(),
            "max_date": (now + _AHEAD).date().isoformat(),
        },
    )
    if article is None or isinstance(article, dict) or not (article.text or "").strip():
        # No article was recognised: a short page, a list, a shop.
        return _page(html_to_text(seen.html), _title(seen.html), "", None, flags)
    paragraphs = re.sub(r"\n+", "\n\n", article.text or "")
    published = _date(article.date or "", now)
    return _page(paragraphs, article.title or "", article.author or "", published, flags)


def _title(html: str) -> str:
    from selectolax.lexbor import LexborHTMLParser

    node = LexborHTMLParser(html).css_first("title")
    return node.text() if node is not None else ""


def _pdf(body: bytes, now: datetime) -> PageText:
    text = extract("page.pdf", body)
    from pypdf import PdfReader

    title = author = ""
    published: datetime | None = None
    try:
        information = PdfReader(io.BytesIO(body)).metadata
        if information is not None:
            title, author = str(information.title or ""), str(information.author or "")
            published = _sane(information.creation_date, now)
    except Exception:  # noqa: S110 - pypdf raises whatever a broken entry makes it stumble over; the text stands
        pass
    return _page(text, title, author, published, set())


def _page(text: str, title: str, author: str, published: datetime | None, flags: set[SourceFlag]) -> PageText:
    body, invisible = hostile.clean(text)
    head, invisible_head = hostile.clean(" ".join(title.split()))
    by, invisible_by = hostile.clean(" ".join(author.split()))
    if not body:
        raise UnreadableError("has no text")
    if invisible or invisible_head or invisible_by:
        flags.add(common_pb2.SOURCE_FLAG_INVISIBLE_CHARACTERS)
    if hostile.instructions("\n".join((head, by, body))):
        flags.add(common_pb2.SOURCE_FLAG_INSTRUCTIONS)
    if len(body) > TEXT_CHARS_MAX:
        flags.add(common_pb2.SOURCE_FLAG_CUT)
        body = body[:TEXT_CHARS_MAX].rsplit("\n\n", 1)[0] if "\n\n" in body[:TEXT_CHARS_MAX] else body[:TEXT_CHARS_MAX]
    return PageText(body.strip(), head[:TITLE_CHARS_MAX], by[:AUTHOR_CHARS_MAX], published, tuple(sorted(flags)))


def _date(text: str, now: datetime) -> datetime | None:
    try:
        return _sane(datetime.fromisoformat(text), now)
    except ValueError:
        return None


def _sane(date: datetime | None, now: datetime) -> datetime | None:
    """The date in UTC; None where a page cannot have it."""
    if date is None:
        return None
    date = date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    return date if _EARLIEST <= date <= now + _AHEAD else None
