"""What a provider is: something that answers a query with sources it has read; and what its operator asks of us."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from chassis.clock import Clock, SystemClock
from services.evidence.domain.model import Found, Query

if TYPE_CHECKING:
    from chassis.models.embedding import Embedder
    from chassis.models.text import TextModel
    from chassis.pool import HttpPool

__all__ = ["DEFAULT_TERMS", "Access", "EvidenceProviders", "Found", "Provider", "Query", "Source", "Terms"]


class Provider(Protocol):
    """Reads sources; knows nothing of caches, breakers, limits or spans, which are put around it.

    `search` raises PipelineError for what goes wrong upstream. What it returns is data from outside: verbatim
    text that no code of ours obeys.
    """

    @property
    def name(self) -> str:
        """Slug, as results and metrics show it."""
        ...

    @property
    def offline(self) -> bool:
        """True: answers without any network."""
        ...

    def covers(self, query: Query) -> bool:
        """Whether asking makes sense: the kind of claim and the domain that it knows something about."""
        ...

    def key(self, query: Query) -> str:
        """Everything that the answer depends on: equal keys, equal answers. For caches."""
        ...

    async def search(self, query: Query) -> Sequence[Found]: ...


@dataclass(frozen=True)
class Terms:
    """What an upstream's operator allows and what a call costs; each provider's file says where that is written."""

    # Calls per second on average, and at once before the average counts.
    rate: float
    burst: int
    # Connections at a time.
    concurrency: int = 4
    # Calls per day that are sure to be answered; 0: no such bound.
    calls_per_day: int = 0
    # Questions put in one run, so that many runs share what the day allows.
    calls_per_run: int = 6
    # Longest wait for one answer.
    timeout_seconds: float = 10.0
    # List price of a call in micros of USD.
    price_micros: int = 0
    # How long an answer serves at most: facts age slower than talk.
    ttl_seconds: float = 86_400.0


@dataclass(frozen=True)
class Access:
    """How an upstream is reached: its address, the key where one is set, and who to tell when a call of ours hurts."""

    url: str
    # Never shown: an Access may end up in a log.
    key: str = field(default="", repr=False)
    # An e-mail address or page of whoever runs this server; empty where none is configured.
    contact: str = ""
    # Where an upstream keeps its search when that is another host (npm); empty: at `url`.
    registry_url: str = ""
    # What an upstream's wish to be left alone is measured on.
    clock: Clock = field(default_factory=SystemClock, compare=False, repr=False)


@dataclass(frozen=True)
class Source:
    """A provider of the outside world as the registry lists it."""

    name: str
    terms: Terms
    make: Callable[[HttpPool, Access], Provider]
    # Terms that hold with a key, where they differ.
    keyed_terms: Terms | None = None
    # Why it cannot be asked with this access ("PIPELINE_BRAVE_KEY is empty"); "" when it can.
    lacks: Callable[[Access], str] = lambda access: ""


@dataclass(frozen=True)
class EvidenceProviders:
    """What the evidence server asks. The documents of a run are added per call: they are private to it."""

    providers: tuple[Provider, ...]
    # None: words decide alone.
    embedder: Embedder | None = None
    # Providers that this server does not have, and why ("hackernews" -> "PIPELINE_HACKERNEWS_URL is empty").
    not_configured: tuple[tuple[str, str], ...] = ()
    # Connections that the server shows to operators and closes when it stops.
    pools: tuple[HttpPool, ...] = ()
    # Terms by provider name; a provider of the outside world without an entry is asked within `DEFAULT_TERMS`.
    terms: tuple[tuple[str, Terms], ...] = ()
    # None: the one that the configuration names.
    text_model: TextModel | None = None


# For a provider that says nothing about itself: what no operator objects to.
DEFAULT_TERMS = Terms(rate=2.0, burst=5)
