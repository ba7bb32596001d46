"""What a provider is: something that answers a query with sources it has read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from services.evidence.domain.model import Found, Query

if TYPE_CHECKING:
    from chassis.models.embedding import Embedder
    from chassis.pool import HttpPool

__all__ = ["EvidenceProviders", "Found", "Provider", "Query"]


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
class EvidenceProviders:
    """What the evidence server asks. The documents of a run are added per call: they are private to it."""

    providers: tuple[Provider, ...]
    # None: words decide alone.
    embedder: Embedder | None = None
    # Providers that this server does not have, and why ("hackernews" -> "PIPELINE_HACKERNEWS_URL is empty").
    not_configured: tuple[tuple[str, str], ...] = ()
    # Connections that the server shows to operators and closes when it stops.
    pools: tuple[HttpPool, ...] = ()
