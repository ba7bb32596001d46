"""The few shapes that the evidence service computes with. What crosses the wire is in pipeline.v1."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from pipeline.v1 import common_pb2

ClaimKind: TypeAlias = common_pb2.ClaimKind.ValueType
SourceType: TypeAlias = common_pb2.SourceType.ValueType
TextOrigin: TypeAlias = common_pb2.TextOrigin.ValueType
SourceFlag: TypeAlias = common_pb2.SourceFlag.ValueType


@dataclass(frozen=True)
class IdeaFacts:
    """What providers may know about the idea beyond a claim's own words. All of it is data, never instruction."""

    text: str
    keywords: tuple[str, ...] = ()
    category: str = ""
    benchmark_segment: str = ""
    customer_type: int = common_pb2.CUSTOMER_TYPE_UNSPECIFIED
    business_model: int = common_pb2.BUSINESS_MODEL_UNSPECIFIED
    product_form: int = common_pb2.PRODUCT_FORM_UNSPECIFIED


@dataclass(frozen=True)
class Query:
    """One question: what is known about `claim` in the field of research `domain`?"""

    domain: str
    claim_id: str
    kind: ClaimKind
    # The claim in one sentence.
    text: str
    # Words to search with, strongest first, lower case; at most 12.
    terms: tuple[str, ...]
    idea: IdeaFacts
    # The research domain's own words, where the caller gave some.
    keywords: tuple[str, ...] = ()
    # At most this many finds are of use.
    limit: int = 10
    # False: a new connection for every call (the synchronous fallback's baseline).
    reuse_connections: bool = True

    @property
    def words(self) -> str:
        """The query as a person would type it."""
        return " ".join(self.terms)


@dataclass(frozen=True)
class Found:
    """A source as its provider read it. `text` is what every quote is taken from, offsets in code points."""

    provider: str
    url: str
    title: str
    text: str
    source_type: SourceType
    author: str = ""
    published_at: datetime | None = None
    # Year the source speaks of, where it states no day; 0: unknown. For freshness only.
    year: int = 0
    figure: common_pb2.Figure | None = None
    # The same figure for everybody, or for an earlier time: what `figure` is compared with.
    baseline: common_pb2.Figure | None = None
    # True: more of the figure speaks for the claim; False: less does; None: the figure has no direction.
    more_is_better: bool | None = None
    product: common_pb2.ProductFact | None = None
    # Places of the quotes that answer the query; empty: the best passage is looked for.
    spans: tuple[tuple[int, int], ...] = ()
    # 0 to 1: how well the source fits the idea, where the provider knows better than a comparison of words
    # (a filed category, an exact segment); None: words and vectors decide alone.
    fit: float | None = None
    # A clause for the reader: why the source was taken, and how its text came to be.
    why: str = ""
    # 0 to 1: how sure its publisher is of it, 0.5 when nothing is known.
    confidence: float = 0.5
    # Points, stars, votes: how many people stood by it; 0 when unknown.
    votes: int = 0
    # What `text` is. A search snippet leads to a page, which is read before anything is quoted from it.
    origin: TextOrigin = common_pb2.TEXT_ORIGIN_API_RECORD
    # What is wrong with the text.
    flags: tuple[SourceFlag, ...] = ()


@dataclass
class Candidate:
    """A passage of a source that may count for a claim, and what the scoring found out about it."""

    found: Found
    query: Query
    start: int
    end: int
    # Likeness in meaning to the claim's text, -1 to 1; None where no vectors were made.
    cosine: float | None = None
    relevance: float = 0.0
    credibility: float = 0.0
    freshness: float = 0.0
    composite: float = 0.0
    stance: common_pb2.Stance.ValueType = common_pb2.STANCE_MENTIONS
    stance_confidence: float = 0.0
    stance_reason: str = ""
    # "rules", "model" or the text model's name, and what weighed most: (name, value, what it added to the log odds).
    stance_method: str = ""
    stance_features: tuple[tuple[str, float, float], ...] = ()
    merged_urls: list[str] = field(default_factory=list)

    @property
    def quote(self) -> str:
        return self.found.text[self.start : self.end]
