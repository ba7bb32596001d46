"""Files to text: what a founder's document says, without markup and without invisible characters.

Everything here reads hostile input: bounded, in a thread, and every failure is a sentence for the founder.
"""

from __future__ import annotations

import io
import logging
import re
import unicodedata
from collections.abc import Callable
from html import unescape

BYTES_MAX = 2 * 1024 * 1024
BYTES_MAX_TOGETHER = 8 * 1024 * 1024
DOCUMENTS_MAX = 50
# Text kept of one document: a long book. What a compressed PDF unpacks to beyond it is not read.
TEXT_CHARS_MAX = 2_000_000
PDF_PAGES_MAX = 500
# The parser's time grows with the square of the depth: a few seconds for this, minutes for four times as much.
HTML_DEPTH_MAX = 25_000
# Comments and abstracts that an API gives are parsed in the event loop; honest ones nest a handful.
RECORD_DEPTH_MAX = 200

_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_TAG = re.compile(r"<[^<>]{0,2000}>")
_KEPT_CONTROLS = frozenset("\n\t")
_BLOCKS = "p,div,br,li,tr,h1,h2,h3,h4,h5,h6,section,article,blockquote,pre,table,ul,ol,dt,dd,header,footer,main"


class UnreadableError(Exception):
    """The file cannot be read; the text completes "documents[0] ..." and names the mend."""


def extract(name: str, content: bytes) -> str:
    """Return the text of a file by its ending; raises UnreadableError."""
    ending = name.lower().rpartition(".")[2] if "." in name else ""
    reader = READERS.get(ending)
    if reader is None:
        raise UnreadableError(f"ends in .{ending}; give {', '.join('.' + e for e in READERS)}")
    text = visible(reader(content).replace("\r\n", "\n").replace("\r", "\n"))
    if not text.strip():
        hint = "; if it is a scan, run text recognition first" if ending == "pdf" else ""
        raise UnreadableError(f"has no text{hint}")
    return text[:TEXT_CHARS_MAX]


def visible(text: str) -> str:
    """Return the text without what a reader cannot see: zero-width, bidirectional and tag characters, controls.

    Text that hides instructions in such characters would otherwise reach a reader as something else than it looks.
    """
    return "".join(
        c for c in text if c in _KEPT_CONTROLS or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )


def html_to_text(html: str, depth_max: int = RECORD_DEPTH_MAX) -> str:
    """Return the text of HTML: no scripts, styles or hidden elements; blocks apart, as a reader sees them.

    What nests deeper than `depth_max` is written to hold the parser up: of it only the text between tags is kept.
    """
    from selectolax.lexbor import LexborHTMLParser

    from services.evidence.providers.hidden import depth

    if "<" not in html and "&" not in html:
        return visible(html).strip()
    if depth(html) > depth_max:
        return " ".join(visible(unescape(_TAG.sub(" ", html))).split())
    tree = LexborHTMLParser(html)
    for node in tree.css("script,style,noscript,template,head,svg,iframe,object,[hidden]"):
        node.decompose()
    for node in tree.css(_BLOCKS):
        node.insert_before("\n\n")
        if node.tag == "br":
            continue
        node.insert_after("\n\n")
    body = tree.body
    text = body.text(deep=True, separator="") if body is not None else ""
    lines = (" ".join(line.split()) for line in visible(text).split("\n"))
    return "\n\n".join(line for line in lines if line)


def _decoded(content: bytes) -> str:
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8":
            raise UnreadableError("is not valid text in the encoding that it announces; save it as UTF-8") from None
        # Old office programs write Windows-1252.
        text = content.decode("cp1252", errors="replace")
    controls = sum(1 for c in text[:20_000] if unicodedata.category(c) == "Cc" and c not in "\n\r\t\f")
    if "\x00" in text or "\ufffd" in text[:20_000] or controls > len(text[:20_000]) / 100:
        raise UnreadableError("is not a text file; save it as UTF-8 text")
    return text


def _html(content: bytes) -> str:
    from services.evidence.providers.hidden import depth

    html = _decoded(content)
    if depth(html) > HTML_DEPTH_MAX:
        raise UnreadableError("nests its elements too deeply to be read; give it as .txt")
    return html_to_text(html, HTML_DEPTH_MAX)


def _pdf(content: bytes) -> str:
    if b"%PDF-" not in content[:1024]:
        raise UnreadableError("is not a PDF; export it anew or give it as .txt")
    from pypdf import PdfReader

    # pypdf warns about every flaw of a file on the log; what matters to the founder is raised below.
    logging.getLogger("pypdf").setLevel(logging.ERROR)
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableError("is protected by a password; export it without one")
        parts: list[str] = []
        length = 0
        for number, page in enumerate(reader.pages):
            if number >= PDF_PAGES_MAX or length >= TEXT_CHARS_MAX:
                break
            parts.append(page.extract_text() or "")
            length += len(parts[-1])
        return "\n\n".join(parts)
    except UnreadableError:
        raise
    except RecursionError:
        raise UnreadableError("is nested too deeply to be read; export it anew or give it as .txt") from None
    except Exception as error:  # pypdf raises whatever a broken file makes it stumble over
        raise UnreadableError("is damaged and cannot be read; export it anew or give it as .txt") from error


READERS: dict[str, Callable[[bytes], str]] = {
    "md": _decoded,
    "txt": _decoded,
    "html": _html,
    "pdf": _pdf,
    "csv": _decoded,
}
