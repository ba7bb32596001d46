"""Pages to text: the article and its data, encodings, PDF, the reading process, the cache."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from aiohttp import web

from chassis.cache import MemoryCache
from chassis.clock import SystemClock
from chassis.safe_fetch import SafeFetcher
from chassis.testing import until
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2
from services.evidence.domain import hostile
from services.evidence.providers.extract import UnreadableError, extract
from services.evidence.providers.page_text import TEXT_CHARS_MAX, decoded, read_page
from services.evidence.providers.page_worker import InlineExtractor, ProcessExtractor
from services.evidence.providers.pages import PageReader
from tests.support.pages import Handler, site

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
PROSE = (
    "Small bakeries throw away every tenth loaf in the evening. The owners who were asked in 2024 plan by feeling, and "
    "most of them would use a forecast if it cost less than the bread that they lose."
)
ARTICLE = f"""<html><head><title>Bread and waste - The Daily Baker</title>
<meta name="author" content="Jane Roe"><meta property="og:title" content="Bread and waste">
<meta property="article:published_time" content="2025-03-04T09:00:00+01:00"></head>
<body><nav><a href="/">Home</a> <a href="/about">About us</a></nav><article><h1>Bread and waste</h1>
<p>{PROSE}</p><p>A forecast costs 20 dollars a month.</p>
<ul><li>One reason is weather.</li><li>Another is habit.</li></ul>
</article><footer>Copyright 2026</footer></body></html>"""


def html(text: str, charset: str = "") -> bytes:
    return text.encode(charset or "utf-8")


def test_the_article_and_what_the_page_says_of_it() -> None:
    """Main text in paragraphs without menus, title, author, and the stated date in UTC."""
    page = read_page("text/html", "utf-8", html(ARTICLE), NOW)
    assert PROSE in page.text.split("\n\n")
    assert "A forecast costs 20 dollars a month." in page.text.split("\n\n")
    assert "About us" not in page.text
    assert page.title.startswith("Bread and waste")
    assert page.author == "Jane Roe"
    assert page.published_at is not None
    assert page.published_at.tzinfo is not None
    assert page.published_at.date() == datetime(2025, 3, 4, tzinfo=UTC).date()
    assert page.flags == ()


@pytest.mark.parametrize("date", ["2199-01-01", "1066-10-14", "soon", "2027-01-01"])
def test_dates_that_cannot_be_are_none(date: str) -> None:
    """A page from the future, or from before the web, has no date; numbers in the text are not taken for one."""
    text = ARTICLE.replace("2025-03-04T09:00:00+01:00", date)
    assert read_page("text/html", "", html(text), NOW).published_at is None


def test_the_text_is_normal_once_and_for_all() -> None:
    """Cleaning a cleaned text changes nothing, so that the offsets of quotes and the hash are stable."""
    messy = (
        "  Caf\u0065\u0301\u00a0au  lait\r\n\r\n\r\n\r\nzero\u200bwidth \u202edne\u202c 10² ½ \x00\x1b[0m\ufeff\tend \n"
    )
    text, flagged = hostile.clean(messy)
    assert flagged
    assert text == "Caf\u00e9 au lait\n\nzerowidth dne 10² ½ [0m end"
    assert hostile.clean(text) == (text, False)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffByte order mark",
        "soft\u00adhyphen",
        "👨\u200d👩\u200d👧 and ❤\ufe0f",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "می\u200cخواهم",
        "\u202bעברית\u202c",
        "ភាសា\u200bខ្មែរ",
        "plain",
    ],
)
def test_honest_invisible_characters_are_no_reason_for_suspicion(text: str) -> None:
    """Emoji, soft hyphens and scripts that need joiners or directions are not flagged."""
    assert not hostile.has_invisible(text)


@pytest.mark.parametrize(
    ("body", "charset", "text"),
    [
        ("grüße".encode(), "", "grüße"),
        ("grüße".encode("cp1252"), "", "grüße"),
        ("grüße".encode("latin-1"), "iso-8859-1", "grüße"),
        ("“grüße”".encode("cp1252"), "iso-8859-1", "“grüße”"),
        ("привет".encode("koi8-r"), "KOI8-R", "привет"),
        ("\ufeffgrüße".encode("utf-16-le"), "latin-1", "grüße"),
        ('<meta charset="shift_jis">日本'.encode("shift_jis"), "", '<meta charset="shift_jis">日本'),
        (b"+ADw-script+AD4-", "utf-7", "+ADw-script+AD4-"),
        (b"\\u0041", "unicode_escape", "\\u0041"),
        (b"abc", "no-such-charset", "abc"),
        (b"abc", "rot13", "abc"),
        (b"abc", "\x00", "abc"),
    ],
)
def test_bytes_are_read_in_their_encoding(body: bytes, charset: str, text: str) -> None:
    """Mark, transfer, meta, UTF-8, Windows-1252, in this order; encodings that hide text are not used."""
    assert decoded(body, charset) == text


def test_a_page_that_is_too_long_is_cut_at_a_paragraph() -> None:
    """Beyond the bound the end is left out, and that is flagged."""
    page = read_page("text/plain", "", ((PROSE + "\n\n") * 1_500).encode(), NOW)
    assert len(page.text) <= TEXT_CHARS_MAX
    assert page.text.endswith("that they lose.")
    assert page.flags == (common_pb2.SOURCE_FLAG_CUT,)


def test_a_page_without_an_article_is_taken_whole() -> None:
    """A short page, a list or a shop is read as it stands."""
    page = read_page("text/html", "", b"<title>Prices</title><p>Basic: 9 dollars", NOW)
    assert (page.text, page.title) == ("Basic: 9 dollars", "Prices")


@pytest.mark.parametrize(
    ("media_type", "body", "why"),
    [
        ("text/html", b"<html><body><script>x</script></body></html>", "has no text"),
        ("text/html", b"", "has no text"),
        ("text/html", b"<div>" * 50_000 + b"x", "nests"),
        ("application/pdf", b"<html>no pdf</html>", "is not a PDF"),
        ("application/pdf", b"%PDF-1.7\n" + b"\x00" * 1_000, "damaged"),
    ],
)
def test_what_cannot_be_read_says_why(media_type: str, body: bytes, why: str) -> None:
    """Pages without text, too deep ones and broken PDFs are refused with a reason."""
    with pytest.raises(UnreadableError, match=why):
        read_page(media_type, "", body, NOW)


def test_a_founder_s_page_that_nests_without_end_is_refused() -> None:
    """A document of 100,000 nested elements is refused at once; a parser would take minutes."""
    with pytest.raises(UnreadableError, match=r"give it as \.txt"):
        extract("notes.html", b"<div>" * 100_000 + b"text")


def pdf(text: str) -> bytes:
    """A PDF of one page."""
    import io

    from pypdf import PdfWriter
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    writer = PdfWriter()
    page = writer.add_blank_page(600, 800)
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    page[NameObject("/Resources")] = DictionaryObject(
        {NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})}
    )
    stream = DecodedStreamObject()
    stream.set_data(f"BT /F1 12 Tf 50 700 Td ({text}) Tj ET".encode())
    page[NameObject("/Contents")] = writer._add_object(stream)
    writer.add_metadata({"/Title": "A report", "/Author": "Jane Roe", "/CreationDate": "D:20240501120000Z"})
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_a_pdf_and_what_it_says_of_itself() -> None:
    """Text, title, author and date of a PDF."""
    page = read_page("application/pdf", "", pdf("Every tenth loaf is thrown away."), NOW)
    assert page.text == "Every tenth loaf is thrown away."
    assert (page.title, page.author) == ("A report", "Jane Roe")
    assert page.published_at == datetime(2024, 5, 1, 12, tzinfo=UTC)


# ----------------------------------------------------------------------------------------- the process


async def test_the_reading_process_reads_what_a_thread_reads() -> None:
    """Both extractors give the same, for a page, a PDF and what cannot be read."""
    process = ProcessExtractor(workers=1)
    try:
        for kind, body in (("text/html", html(ARTICLE)), ("application/pdf", pdf("Loaf.")), ("text/plain", b"x \xff")):
            assert await process.extract(kind, "", body, NOW) == read_page(kind, "", body, NOW)
        with pytest.raises(UnreadableError, match="nests"):
            await process.extract("text/html", "", b"<div>" * 50_000 + b"x", NOW)
        assert repr(process) == "<ProcessExtractor 1 workers, 1 idle, 0 killed>"
    finally:
        await process.close()
    assert repr(process) == "<ProcessExtractor 0 workers, 0 idle, 1 killed>"


async def test_a_page_that_takes_too_long_is_ended_and_the_next_one_read() -> None:
    """The process that a page holds up is killed on time, and another one reads on."""
    # 200,000 attributes of one element: the parser compares each with each.
    bomb = b"<p " + b" ".join(b"a%d=1" % n for n in range(200_000)) + b">x"
    process = ProcessExtractor(workers=1, seconds=0.5)
    try:
        with pytest.raises(UnreadableError, match=r"takes more than 0\.5 s"):
            await process.extract("text/html", "", bomb, NOW)
        assert process.killed == 1
        assert (await process.extract("text/plain", "", b"well", NOW)).text == "well"
    finally:
        await process.close()


async def test_a_caller_that_leaves_takes_its_process_along() -> None:
    """Cancelling a read ends the process, so that its answer reaches nobody else."""
    bomb = b"<p " + b" ".join(b"a%d=1" % n for n in range(200_000)) + b">x"
    process = ProcessExtractor(workers=1)
    try:
        await process.extract("text/plain", "", b"warm", NOW)
        task = asyncio.create_task(process.extract("text/html", "", bomb, NOW))
        await until(lambda: not process._idle)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await process.extract("text/plain", "", b"well", NOW)).text == "well"
    finally:
        await process.close()


# ------------------------------------------------------------------------------------------ the reader


@asynccontextmanager
async def reader(place: str, cache: MemoryCache | None) -> AsyncIterator[PageReader]:
    fetcher = SafeFetcher(allowed=[place], pause_seconds=0.001)
    try:
        yield PageReader(fetcher, InlineExtractor(), SystemClock(), cache)
    finally:
        await fetcher.close()


def counting(counts: list[str]) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        counts.append(f"{request.method} {request.path}")
        if request.path == "/json":
            return web.json_response({})
        if request.path == "/empty":
            return web.Response(text="<p></p>", content_type="text/html")
        return web.Response(text=ARTICLE, content_type="text/html")

    return handler


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/", "http://[::1", "http://example.org/"])
async def test_what_is_no_address_lies_outside(url: str) -> None:
    """A server that reads some places only refuses the rest with a typed error, odd addresses among it."""
    fetcher = SafeFetcher()
    try:
        restricted = PageReader(fetcher, InlineExtractor(), SystemClock(), None, only=["127.0.0.1:8080"])
        with pytest.raises(PipelineError) as refused:
            await restricted.read(url)
        assert refused.value.metadata["cause"] == "outside"
        assert await restricted.check(url) == common_pb2.LINK_STATUS_UNSPECIFIED
    finally:
        await fetcher.close()


async def test_a_page_is_read_once_for_all_and_hashed() -> None:
    """Concurrent and later readers share one fetch; the hash is that of the text that quotes count in."""
    asked: list[str] = []
    async with site(counting(asked)) as place:
        cache = MemoryCache("pages", 10)
        async with reader(place, cache) as subject:
            pages = await asyncio.gather(*(subject.read(f"http://{place}/a") for _ in range(5)))
            pages.append(await subject.read(f"http://{place}/a#part"))
            assert len(asked) == 1
            assert len({id(page) for page in pages}) == 1
            assert pages[0].content_sha256 == hashlib.sha256(pages[0].text.encode()).hexdigest()
            at = pages[0].text.index("A forecast")
            assert pages[0].text[at : at + 20] == "A forecast costs 20 "
            await subject.read(f"http://{place}/a", caching=False)
            assert len(asked) == 2
        async with reader(place, None) as subject:
            await subject.read(f"http://{place}/a")
            assert len(asked) == 3


async def test_what_is_no_page_is_an_error_and_is_not_kept() -> None:
    """Content of another kind and pages without text raise, each time anew."""
    asked: list[str] = []
    async with site(counting(asked)) as place, reader(place, MemoryCache("pages", 10)) as subject:
        for path, cause in (("json", "content_type"), ("empty", "unreadable"), ("empty", "unreadable")):
            with pytest.raises(PipelineError) as caught:
                await subject.read(f"http://{place}/{path}")
            assert caught.value.metadata["cause"] == cause
    assert len(asked) == 3


async def test_links_are_looked_at_once_an_hour() -> None:
    """A firm answer is kept; without caching it is asked for again."""
    asked: list[str] = []
    async with site(counting(asked)) as place, reader(place, MemoryCache("pages", 10)) as subject:
        for caching in (True, True, False):
            assert await subject.check(f"http://{place}/a", caching=caching) == common_pb2.LINK_STATUS_ALIVE
    assert asked == ["HEAD /a", "HEAD /a"]
