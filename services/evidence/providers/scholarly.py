"""What the four sources of papers share: the claims they can speak about, and a paper as a source."""

from __future__ import annotations

import re
from datetime import datetime

from pipeline.v1 import common_pb2
from services.evidence.domain.model import Found
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
_DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>]{1,200}")
_HEADING = re.compile(r"\A(?:abstract|summary)\b[\s:.]*(?=\S)", re.IGNORECASE)


def doi_url(doi: str) -> str:
    """ "https://doi.org/10.1371/..." of a DOI or its address, "" where it is none."""
    match = _DOI.search(doi)
    return f"https://doi.org/{match.group()}" if match else ""


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
    text = _HEADING.sub("", abstract[:TEXT_CHARS_MAX].strip())
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
