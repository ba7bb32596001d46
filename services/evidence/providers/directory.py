"""The starter directory: about 2,000 existing products, found through the field that they belong to.

The directory holds facts only (data/NOTICE). An idea is matched to topics (`domain.topics`), a topic to the
categories under which the sources filed their products. Each find's text is a fact sheet composed of those facts;
its quotes are parts of that sheet. No page is fetched.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib import resources
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any

from pipeline.v1 import common_pb2
from services.evidence.domain.model import Found, Query
from services.evidence.domain.stance import RIVAL_FIT
from services.evidence.domain.topics import (
    Topic,
    TopicFit,
    match_topics,
    name_words,
    parse_topics,
    topics_digest,
)
from services.evidence.domain.words import name_stems

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chassis.models.embedding import Embedder

PROVIDER = "directory"
# Products for one claim: rivals are worth a list, for the rest one or two examples say it.
LIMITS: dict[int, int] = {
    common_pb2.CLAIM_KIND_COMPETITION: 6,
    common_pb2.CLAIM_KIND_PROBLEM: 2,
    common_pb2.CLAIM_KIND_FEASIBILITY: 2,
    common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY: 2,
}
# Of one topic at most this many rivals while another topic has some to show.
PER_TOPIC = 4
# Of a topic that is only a neighbour, and of all neighbours together, at most this many.
PER_NEIGHBOUR, NEIGHBOURS = 3, 4
# A second topic adds to the fit, as does the product's own name.
SECOND_TOPIC_SHARE = 0.25
NAME_WORD_BONUS = 0.05
# Weight of adoption against fit in the order of finds.
ADOPTION_WEIGHT = 0.15
# A topic that fits much less than the best is a neighbour; its products would only blur the list.
TOPIC_GAP = 0.40


@dataclass(frozen=True)
class Product:
    """A record of data/directory.jsonl."""

    name: str
    url: str
    categories: tuple[str, ...]
    listed_by: tuple[str, ...]
    source_url: str = ""
    alternative_to: tuple[str, ...] = ()
    license: str = ""
    stars: int = 0
    updated: str = ""

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Product:
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
        return cls(**fields)

    @property
    def adoption(self) -> float:
        """0 for none, 1 for 100,000 stars; each tenfold counts the same."""
        return min(math.log10(self.stars + 1) / 5.0, 1.0)

    @property
    def updated_at(self) -> datetime | None:
        return datetime.fromisoformat(self.updated).replace(tzinfo=UTC) if self.updated else None

    @cached_property
    def stems(self) -> tuple[str, ...]:
        return tuple(name_stems(self.name))

    def fact(self) -> common_pb2.ProductFact:
        return common_pb2.ProductFact(
            name=self.name,
            category="; ".join(self.categories),
            alternative_to=self.alternative_to,
            license=self.license,
            stars=self.stars,
            source_url=self.source_url,
        )

    def sheet(self) -> tuple[str, dict[str, int]]:
        """The fact sheet, and where each of its sentences ends."""
        sentences = [
            ("name", f"{self.name}."),
            ("alternative_to", f"Alternative to: {', '.join(self.alternative_to)}." if self.alternative_to else ""),
            ("category", f"Category: {'; '.join(self.categories)}."),
            ("stars", f"GitHub stars: {self.stars:,}." if self.stars else ""),
            ("updated", f"Last update of the repository: {self.updated}." if self.updated else ""),
            ("license", f"Licence: {self.license}." if self.license else ""),
            ("source_url", f"Repository: {self.source_url}" if self.source_url else ""),
        ]
        text, ends = "", {}
        for field, sentence in sentences:
            if sentence:
                text = f"{text} {sentence}" if text else sentence
            ends[field] = len(text)
        return text, ends


# The part of the sheet that answers a claim of a kind, from its beginning to the end of this field.
_QUOTE_END: dict[int, str] = {
    common_pb2.CLAIM_KIND_COMPETITION: "license",
    common_pb2.CLAIM_KIND_PROBLEM: "stars",
    common_pb2.CLAIM_KIND_FEASIBILITY: "updated",
    common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY: "alternative_to",
}


@dataclass(frozen=True)
class _Match:
    product: Product
    fit: float
    topics: tuple[TopicFit, ...]

    @property
    def order(self) -> tuple[float, str, str]:
        return (-(self.fit + ADOPTION_WEIGHT * self.product.adoption), self.product.name, self.product.url)


class Directory:
    """Products and topics, indexed. Immutable; about 3 MiB."""

    def __init__(self, products: Sequence[Product], topics: Sequence[Topic]) -> None:
        self.products = tuple(products)
        self.topics = tuple(topics)
        by_category: dict[str, list[Product]] = {}
        by_name: dict[str, list[Product]] = {}
        for product in self.products:
            by_name.setdefault(folded(product.name), []).append(product)
            for category in product.categories:
                by_category.setdefault(category, []).append(product)
        self._of_topic: dict[str, tuple[Product, ...]] = {}
        for topic in self.topics:
            left_out = {folded(name) for name in topic.without}
            filed = [p for c in topic.categories for p in by_category.get(c, [])]
            named = [p for name in topic.products for p in by_name.get(folded(name), [])]
            kept = [p for p in filed if folded(p.name) not in left_out]
            self._of_topic[topic.id] = tuple({id(p): p for p in [*named, *kept]}.values())

    @classmethod
    def load(cls) -> Directory:
        """Read the shipped data (about 25 ms)."""
        rows = _data("directory.jsonl").read_text(encoding="utf-8").splitlines()
        return cls([Product.from_row(json.loads(row)) for row in rows], load_topics())

    def products_of(self, topic_id: str) -> tuple[Product, ...]:
        return self._of_topic[topic_id]

    def matches(self, text: str, cosines: Sequence[float] | None = None) -> list[_Match]:
        """Return the products of the fields that the text belongs to, best first."""
        fits = match_topics(self.topics, text, cosines)
        fits = [fit for fit in fits if fit.fit >= fits[0].fit - TOPIC_GAP]
        found: dict[int, tuple[Product, list[TopicFit]]] = {}
        for fit in fits:
            for product in self._of_topic[fit.topic.id]:
                found.setdefault(id(product), (product, []))[1].append(fit)
        matches = [_Match(p, _product_fit(p, of, text), tuple(of)) for p, of in found.values()]
        return sorted(matches, key=lambda m: m.order)


def folded(name: str) -> str:
    """Return a product's name as names are compared: without case, blanks, marks and "Community Edition"."""
    plain = name.casefold().removesuffix(" community edition")
    return "".join(c for c in plain if c.isalnum()) or plain


def load_topics() -> tuple[Topic, ...]:
    """Read the shipped topics."""
    return parse_topics(_data("topics.tsv").read_text(encoding="utf-8"))


def _data(name: str) -> Traversable:
    return resources.files("services.evidence").joinpath("data", name)


def _product_fit(product: Product, topics: Sequence[TopicFit], text: str) -> float:
    best = topics[0].fit
    if topics[0].neighbour:
        return best
    for other in topics[1:3]:
        best += (1.0 - best) * SECOND_TOPIC_SHARE * other.fit
    shared = min(len(name_words(product.stems, text)), 2)
    return min(best + NAME_WORD_BONUS * shared, 1.0)


class DirectoryProvider:
    """The starter directory as a provider."""

    name = PROVIDER
    offline = True

    def __init__(self, embedder: Embedder | None = None, directory: Directory | None = None) -> None:
        self._embedder = embedder
        self._directory = directory
        self._vectors: NDArray[Any] | None = None
        self._loading: asyncio.Lock | None = None

    def covers(self, query: Query) -> bool:
        return query.kind in LIMITS

    def key(self, query: Query) -> str:
        return f"{query.kind}|{query.idea.text}|{';'.join(query.keywords)}"

    async def open(self) -> None:
        """Load the data, so that the first run does not wait for it."""
        await self._loaded()

    async def search(self, query: Query) -> Sequence[Found]:
        directory = await self._loaded()
        text = query.idea.text
        if query.keywords:
            text = f"{text}\n{', '.join(query.keywords)}"
        matches = directory.matches(text, await self._cosines(directory, text))
        if query.kind != common_pb2.CLAIM_KIND_COMPETITION:
            # A neighbour is worth knowing as a possible rival; of demand, price and feasibility it shows nothing.
            matches = [m for m in matches if m.fit >= RIVAL_FIT]
            paid = query.kind == common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY
            matches = [m for m in matches if (m.product.alternative_to if paid else m.product.stars)]
        chosen = _spread(matches, min(LIMITS.get(query.kind, 2), query.limit))
        return [_found(match, query) for match in chosen]

    async def _loaded(self) -> Directory:
        if self._loading is None:
            self._loading = asyncio.Lock()
        async with self._loading:
            if self._directory is None:
                self._directory = await asyncio.to_thread(Directory.load)
            return self._directory

    async def _cosines(self, directory: Directory, text: str) -> Sequence[float] | None:
        if self._embedder is None:
            return None
        if self._vectors is None:
            shipped = await asyncio.to_thread(_shipped_vectors, directory, self._embedder)
            if shipped is None:
                shipped = await self._embedder.embed([topic.text for topic in directory.topics])
            self._vectors = shipped
        (vector,) = await self._embedder.embed([text])
        return [float(cosine) for cosine in self._vectors @ vector]


def _shipped_vectors(directory: Directory, embedder: Embedder) -> NDArray[Any] | None:
    """The vectors computed by build_data, where they belong to these topics and this embedder."""
    import numpy as np

    meta, vectors = _data("topics.meta.json"), _data("topics.npy")
    if not meta.is_file() or not vectors.is_file():
        return None
    about = json.loads(meta.read_text(encoding="utf-8"))
    if about["model"] != embedder.name or about["sha256"] != topics_digest(directory.topics):
        return None
    with vectors.open("rb") as file:
        rows = np.load(file, allow_pickle=False).astype(np.float32)
    scaled: NDArray[Any] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return scaled


def _spread(matches: Sequence[_Match], limit: int) -> list[_Match]:
    """At most `limit`, in order, and at most PER_TOPIC of one topic while other topics have more to show."""
    chosen: list[_Match] = []
    skipped: list[_Match] = []
    counts: dict[str, int] = {}
    neighbours = 0
    for match in matches:
        first = match.topics[0]
        full = counts.get(first.topic.id, 0) >= (PER_NEIGHBOUR if first.neighbour else PER_TOPIC)
        if first.neighbour:
            if full or neighbours >= NEIGHBOURS:
                continue
            neighbours += 1
        elif full:
            skipped.append(match)
            continue
        counts[first.topic.id] = counts.get(first.topic.id, 0) + 1
        chosen.append(match)
    return sorted([*chosen[:limit], *skipped][:limit], key=lambda m: m.order)


def _found(match: _Match, query: Query) -> Found:
    product = match.product
    text, ends = product.sheet()
    words = ", ".join(f"“{word}”" for topic in match.topics[:2] for word in topic.matched[:3])
    listed = " and ".join(product.listed_by)
    category = "; ".join(product.categories)
    figure = None
    if product.stars and ends[_QUOTE_END[query.kind]] >= ends["stars"]:
        figure = common_pb2.Figure(
            metric="github.stars",
            segment=product.name,
            value=product.stars,
            unit="stars",
            year=int(product.updated[:4]) if product.updated else 0,
        )
    return Found(
        provider=PROVIDER,
        origin=common_pb2.TEXT_ORIGIN_STARTER_SET,
        url=product.url,
        title=f"{product.name} ({category})",
        text=text,
        source_type=common_pb2.SOURCE_TYPE_DIRECTORY,
        published_at=product.updated_at,
        figure=figure,
        product=product.fact(),
        spans=((0, ends[_QUOTE_END[query.kind]]),),
        fit=match.fit,
        why=(
            f"{product.name} is filed under “{category}” by {listed}"
            + (f"; the idea speaks of {words}" if words else "; close to the idea in meaning")
            + ". Facts as recorded in the starter directory, the page was not fetched in this run."
        ),
        confidence=product.adoption,
    )
