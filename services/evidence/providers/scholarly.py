"""What the four sources of papers share: the claims they can speak about, and a paper as a source."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape
from urllib.parse import quote

from pipeline.v1 import common_pb2
from services.evidence.domain.model import Found
from services.evidence.providers.extract import html_to_text, visible
from services.evidence.providers.reading import TEXT_CHARS_MAX, line, votes

# Research says whether a problem exists, whether a thing can be built and where a field moves. What an audience
# would pay and who competes is not its subject.
KINDS = frozenset(
    {
        common_pb2.CLAIM_KIND_UNSPECIFIED,
        common_pb2.CLAIM_KIND_PROBLEM,
        common_pb2.CLAIM_KIND_FEASIBILITY,
        common_pb2.CLAIM_KIND_TIMING,
    }
)
# Papers asked for: more than one run uses of one source for a claim.
PAPERS = 15
# Authors looked at; some papers have thousands.
AUTHORS_READ = 20
_DOI = re.compile(r"10\.\d{4,9}/\S{1,200}")
# Characters that need no escape in the path of an address; `%` since some records escape already.
_DOI_SAFE = "/:;()._-+,!@$&'*=~%"
# Tags that titles and abstracts are written with. Anything else between angle brackets is text ("p<.05 and n>9").
_MARKUP = re.compile(
    r"</?(?:p|i|b|u|em|strong|sub|sup|br|div|span|h[1-6]|ul|ol|li|title|sec|jats:[a-z-]+)\s*/?>", re.IGNORECASE
)
_HEADING = re.compile(r"\A(?:abstract|summary)\b[\s:.]*(?=\S)", re.IGNORECASE)


def doi_url(doi: str) -> str:
    """ "https://doi.org/10.1371/..." of a DOI or its address, "" where it is none."""
    match = _DOI.search(doi)
    return "https://doi.org/" + quote(match.group(), safe=_DOI_SAFE) if match else ""


def plain(text: str) -> str:
    """Return text that may hold markup or entities as a reader sees it; comparisons stay as they are.

    >>> plain("<p>Waste fell by CO<sub>2</sub> &amp; cost</p>"), plain("significant (p<.05) for n<k &amp; n>9")
    ('Waste fell by CO2 & cost', 'significant (p<.05) for n<k & n>9')
    """
    return html_to_text(text) if _MARKUP.search(text) else visible(unescape(text)).strip()


def paper(
    provider: str,
    *,
    url: str,
    title: str,
    abstract: str,
    author: str,
    published_at: datetime | None,
    year: int = 0,
    citations: object = 0,
    venue: str = "",
    reviewed: bool = True,
) -> Found | None:
    """A paper as a source: its abstract verbatim, or its title where the record has no abstract.

    None without an address or a title. `citations` stand in for votes.
    """
    title = line(title)
    if not url or not title:
        return None
    text = _HEADING.sub("", visible(abstract[:TEXT_CHARS_MAX]).strip()).strip()
    cited = votes(citations)
    where = f" in {line(venue, 120)}" if venue.strip() else ""
    kind = "paper" if reviewed else "preprint (not peer-reviewed)"
    what = f"Abstract of a {kind}{where}" if text else f"Title of a {kind}{where}; the record has no abstract"
    return Found(
        provider=provider,
        url=url,
        title=title,
        text=text or title,
        source_type=common_pb2.SOURCE_TYPE_SCHOLARLY,
        author=author,
        published_at=published_at,
        year=year,
        why=what + (f", cited {cited:,} times." if cited else "."),
        # Peer review, nothing more known: the middle. A preprint has not been reviewed; a title alone says little.
        confidence=(0.5 if reviewed else 0.3) if text else 0.2,
        votes=cited,
    )
