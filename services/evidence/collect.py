"""One run of the evidence phase: ask every source, score what comes back, keep what counts, say what is missing.

Searches run side by side within the run's limits, finds are scored in batches as they arrive and shown at once;
the result is chosen when all have been heard, and does not depend on who answered first.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from chassis.clock import Clock
from chassis.limits import Profile
from chassis.usage import UsageRecorder, current_usage
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2, evidence_pb2
from services.evidence.batches import Batches
from services.evidence.domain import coverage, dedupe, scoring
from services.evidence.domain.bm25 import Collection
from services.evidence.domain.model import Candidate, Found, IdeaFacts, Query
from services.evidence.domain.passages import PassageIndex
from services.evidence.domain.queries import Domain, build_queries
from services.evidence.domain.scoring import query_stems
from services.evidence.domain.select import select
from services.evidence.domain.stance import judge
from services.evidence.domain.words import content_stems, specific
from services.evidence.items import item
from services.evidence.providers import directory
from services.evidence.providers.documents import DocumentsProvider
from services.evidence.providers.upstream import Tally, Upstream
from services.evidence.stance_data import stance_models

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from chassis.models.embedding import Embedder

_log = logging.getLogger(__name__)

Emit = Callable[[evidence_pb2.CollectEvidenceResponse], Awaitable[None]]

# Passages of one source that are scored for one claim, where the provider names none.
PASSAGES_PER_FOUND = 2
# Texts embedded for one run, claims included: embedding is what a run's time goes into (about 5 ms a text). What
# comes later is scored by its words alone.
EMBEDDED_MAX = 120


@dataclass(frozen=True)
class Job:
    """What one call asked for, checked and read."""

    idea: IdeaFacts
    claims: tuple[common_pb2.Claim, ...]
    domains: tuple[Domain, ...]
    profile: Profile
    documents: DocumentsProvider
    notices: tuple[common_pb2.Notice, ...] = ()
    missing: tuple[common_pb2.Missing, ...] = ()


@dataclass
class _Ask:
    """A question to one provider, and the domains that want it answered."""

    upstream: Upstream
    query: Query
    domains: list[str]


@dataclass
class _State:
    """What a run has gathered so far."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    failed: dict[str, PipelineError] = field(default_factory=dict)
    scored: list[Candidate] = field(default_factory=list)
    # Domains that a candidate was found for, by its place in memory: candidates live as long as the run.
    domains: dict[int, list[str]] = field(default_factory=dict)
    shown: set[str] = field(default_factory=set)
    embedded: int = 0
    claim_vectors: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    embedding_failed: bool = False
    asked_done: int = 0
    # How rare words are among the run's passages.
    collection: Collection = field(default_factory=lambda: Collection(prior=True))
    _known: set[str] = field(default_factory=set)

    def know(self, candidate: Candidate) -> None:
        """Count a passage among the run's, once however many claims it speaks to."""
        identity = scoring.item_id(candidate.found.url, candidate.quote)
        if identity not in self._known:
            self._known.add(identity)
            self.collection.add(content_stems(candidate.quote))


class Collector:
    """Collects evidence for one job at a time; holds nothing between jobs."""

    def __init__(self, upstreams: Sequence[Upstream], embedder: Embedder | None, clock: Clock) -> None:
        self._upstreams = tuple(upstreams)
        self._embedder = embedder
        self._clock = clock

    async def collect(self, job: Job, private: Upstream, emit: Emit) -> evidence_pb2.EvidenceResult:
        """Return the result after emitting progress and items; `private` asks the run's own documents."""
        return await _Run(self, job, private, emit).run()


class _Run:
    def __init__(self, collector: Collector, job: Job, private: Upstream, emit: Emit) -> None:
        self._embedder = collector._embedder
        self._clock = collector._clock
        self._job = job
        self._emit = emit
        self._usage: UsageRecorder = current_usage()
        self._state = _State()
        self._domains = {domain.name: domain for domain in job.domains}
        self._claims = {claim.id: claim for claim in job.claims}
        everybody = [*collector._upstreams, private]
        self._heard = [u for u in everybody if u.provider.offline or not job.profile.offline]
        self._silent = [u for u in everybody if u not in self._heard]
        # What is embedded for the first time in a run belongs to one batch only.
        self._embedding = asyncio.Lock()

    async def run(self) -> evidence_pb2.EvidenceResult:
        job = self._job
        queries = build_queries(job.domains, job.claims, job.idea)
        asks = self._asks(queries)
        await self._progress(f"asking {len(self._heard)} sources {len(asks)} questions", 0, len(asks))
        operations = asyncio.Semaphore(job.profile.max_concurrent_operations)
        slots = asyncio.Semaphore(min(job.profile.max_concurrent_api_calls, job.profile.connection_pool_size))
        batches = Batches(self._score, job.profile.batch_size, job.profile.batch_timeout, self._clock, operations)
        async with asyncio.TaskGroup() as group:
            batches.start(group)
            async with asyncio.TaskGroup() as searches:
                for ask in asks:
                    searches.create_task(self._ask(ask, operations, slots, batches, len(asks)))
            batches.close()
        await self._progress(f"choosing from {len(self._state.scored)} passages", len(asks), len(asks))
        return self._result(queries)

    # ------------------------------------------------------------------------------------- searching

    def _asks(self, queries: Sequence[Query]) -> list[_Ask]:
        """Questions, each once: two domains that would get the same answer for a claim share one."""
        asks: dict[tuple[str, str, str], _Ask] = {}
        reuse = self._job.profile.reuse_connections
        for query in queries:
            for upstream in self._heard:
                provider = upstream.provider
                if not provider.covers(query):
                    continue
                identity = (upstream.name, query.claim_id, provider.key(query))
                known = asks.get(identity)
                if known is None:
                    asks[identity] = _Ask(upstream, replace(query, reuse_connections=reuse), [query.domain])
                elif query.domain not in known.domains:
                    known.domains.append(query.domain)
                    if not provider.offline:
                        self._usage.call_saved(1)
        return list(asks.values())

    async def _ask(
        self, ask: _Ask, operations: asyncio.Semaphore, slots: asyncio.Semaphore, batches: Batches, total: int
    ) -> None:
        upstream, state = ask.upstream, self._state
        tally = state.tallies.setdefault(upstream.name, Tally())
        search = upstream.operation(self._job.profile, slots, tally)
        found: Sequence[Found] = ()
        async with operations, self._usage.operation():
            try:
                found = await search(ask.query)
            except PipelineError as error:
                tally.last_error = error.message
                state.failed[upstream.name] = error
            except Exception:
                # A defect of one source must not cost the run the others; its text stays in the log.
                _log.exception("provider %s failed", upstream.name)
                tally.last_error = "internal error"
                state.failed[upstream.name] = PipelineError(errors_pb2.ERROR_REASON_INTERNAL, f"{upstream.name} failed")
        for candidate in self._candidates(ask, found):
            state.domains[id(candidate)] = ask.domains
            batches.add(candidate)
        state.asked_done += 1
        if state.asked_done * 5 // total > (state.asked_done - 1) * 5 // total:
            await self._progress("hearing sources", state.asked_done, total)

    def _candidates(self, ask: _Ask, found: Sequence[Found]) -> list[Candidate]:
        words = query_stems(ask.query.terms) or specific(content_stems(ask.query.text))
        candidates: list[Candidate] = []
        for source in found:
            spans = source.spans
            if not spans:
                best = PassageIndex(source.text).best(words, PASSAGES_PER_FOUND)
                spans = tuple(span for span, _ in best)
            candidates.extend(Candidate(source, ask.query, start, end) for start, end in spans)
        return candidates

    # --------------------------------------------------------------------------------------- scoring

    async def _score(self, batch: Sequence[Candidate]) -> None:
        """Score one batch and show what passes."""
        async with self._usage.operation():
            cosines = await self._cosines(batch)
            now = self._clock.now()
            for candidate, cosine in zip(batch, cosines, strict=True):
                candidate.cosine = cosine
                candidate.credibility = scoring.credibility(candidate.found)
                candidate.freshness = scoring.freshness(candidate.found, now)
                self._state.know(candidate)
                self._weigh(candidate)
                self._state.scored.append(candidate)
        for candidate in batch:
            if self._domain_of(candidate) is None:
                continue
            shown = self._item(candidate)
            if shown.id not in self._state.shown:
                self._state.shown.add(shown.id)
                await self._emit(evidence_pb2.CollectEvidenceResponse(item=shown))

    def _weigh(self, candidate: Candidate) -> None:
        """Set what depends on how rare words are among the run's passages: relevance, its sum, and the stance."""
        was_read = scoring.is_about(candidate)
        terms = self._terms(candidate.query)
        candidate.relevance = scoring.relevance(candidate, terms, candidate.cosine, self._state.collection)
        candidate.composite = scoring.composite(candidate)
        if candidate.stance_method and was_read == scoring.is_about(candidate):
            return
        verdict = judge(candidate, stance_models())
        candidate.stance, candidate.stance_confidence = verdict.stance, verdict.confidence
        candidate.stance_reason = verdict.reason
        candidate.stance_method, candidate.stance_features = verdict.method, verdict.features

    def _terms(self, query: Query) -> Sequence[str]:
        return query.terms or [query.text]

    async def _cosines(self, batch: Sequence[Candidate]) -> list[float | None]:
        """Likeness of each passage to its claim; None without vectors and for finds whose fit is known."""
        wanted = [c for c in batch if c.found.fit is None]
        if self._embedder is None or not wanted:
            return [None] * len(batch)
        async with self._embedding:
            state = self._state
            claims = {c.query.claim_id: c.query.text for c in wanted if c.query.claim_id not in state.claim_vectors}
            room = EMBEDDED_MAX - state.embedded - len(claims)
            wanted = wanted[: max(room, 0)]
            if not wanted:
                return [None] * len(batch)
            state.embedded += len(claims) + len(wanted)
            try:
                vectors = await self._embedder.embed([*claims.values(), *(c.quote for c in wanted)])
            except Exception:
                # Words decide alone then; the reader is told.
                _log.exception("embedding failed")
                state.embedding_failed = True
                return [None] * len(batch)
            state.claim_vectors.update(zip(claims, vectors, strict=False))
            found = {
                id(c): float(vector @ state.claim_vectors[c.query.claim_id])
                for c, vector in zip(wanted, vectors[len(claims) :], strict=True)
            }
        return [found.get(id(c)) for c in batch]

    def _domain_of(self, candidate: Candidate) -> str | None:
        """The first of the candidate's domains whose threshold it reaches."""
        names = self._state.domains[id(candidate)]
        return next((n for n in names if candidate.composite >= self._domains[n].quality_threshold), None)

    # ---------------------------------------------------------------------------------------- result

    def _item(self, candidate: Candidate) -> common_pb2.EvidenceItem:
        return item(candidate, self._domain_of(candidate) or candidate.query.domain, self._clock.now())

    def _result(self, queries: Sequence[Query]) -> evidence_pb2.EvidenceResult:
        job, state = self._job, self._state
        for candidate in state.scored:
            # All passages are known now: the scores no longer depend on who answered first.
            self._weigh(candidate)
        good = [c for c in state.scored if self._domain_of(c) is not None]
        chosen = select(dedupe.merge_duplicates(good))
        items = [self._item(candidate) for candidate in chosen]
        kept = dict.fromkeys(self._domains, 0)
        for candidate in chosen:
            for name in state.domains[id(candidate)]:
                kept[name] += candidate.composite >= self._domains[name].quality_threshold
        products = sum(1 for item in items if item.provider == directory.PROVIDER)
        has_directory = any(u.name == directory.PROVIDER for u in self._heard) and any(
            claim.kind == common_pb2.CLAIM_KIND_COMPETITION for claim in job.claims
        )
        missing = [
            *job.missing,
            *self._not_heard(),
            *coverage.no_products(has_directory and directory.PROVIDER not in state.failed, products),
            *coverage.uncovered_claims(job.claims, items, [u.name for u in self._silent]),
            *coverage.shortfalls(job.domains, kept),
        ]
        notices = list(job.notices)
        if products:
            notices.append(
                common_pb2.Notice(
                    subject="competition",
                    message="The starter directory lists mostly open-source products; commercial rivals are not in it.",
                    phase=common_pb2.PHASE_EVIDENCE,
                )
            )
        if self._embedder is None or state.embedding_failed:
            notices.append(
                common_pb2.Notice(
                    subject="embedder",
                    message="Relevance was judged by words alone: no sentence embedder answered.",
                    phase=common_pb2.PHASE_EVIDENCE,
                )
            )
        found_for = dict.fromkeys(self._domains, 0)
        for candidate in state.scored:
            for name in state.domains[id(candidate)]:
                found_for[name] += 1
        return evidence_pb2.EvidenceResult(
            claims=job.claims,
            items=items,
            domains=[
                evidence_pb2.DomainResult(
                    name=domain.name,
                    queries=list(dict.fromkeys(q.words or q.text for q in queries if q.domain == domain.name)),
                    items_found=found_for[domain.name],
                    items_kept=kept[domain.name],
                )
                for domain in job.domains
            ],
            providers=[self._report(upstream, items) for upstream in self._heard if self._is_asked(upstream)],
            missing=missing,
            notices=notices,
            usage=self._usage.to_proto(),
        )

    def _is_asked(self, upstream: Upstream) -> bool:
        return upstream.name in self._state.tallies

    def _report(self, upstream: Upstream, items: Sequence[common_pb2.EvidenceItem]) -> evidence_pb2.ProviderReport:
        tally = self._state.tallies[upstream.name]
        return evidence_pb2.ProviderReport(
            provider=upstream.name,
            calls=tally.calls,
            failures=tally.failures,
            items=sum(1 for item in items if item.provider == upstream.name),
            breaker_state=str(upstream.breaker.state),
            last_error=tally.last_error,
        )

    def _not_heard(self) -> list[common_pb2.Missing]:
        entries = [
            coverage.source_missing(
                upstream.name,
                common_pb2.MISSING_KIND_OFFLINE,
                f"{upstream.name} was not asked because this run is offline.",
                "Run again with a network and without the offline setting.",
            )
            for upstream in self._silent
        ]
        for name, error in sorted(self._state.failed.items()):
            tally = self._state.tallies[name]
            part = "did not answer" if tally.failures >= tally.calls else "left some questions unanswered"
            wait = f" after {error.retry_after:.0f} seconds" if error.retry_after else ""
            entries.append(
                coverage.source_missing(
                    name,
                    common_pb2.MISSING_KIND_SOURCE_FAILED,
                    f"{name} {part}: {error.message}.",
                    f"Run again{wait or ' later'}; what was heard from the other sources stands.",
                    error.reason,
                )
            )
        return entries

    async def _progress(self, message: str, done: int, total: int) -> None:
        progress = common_pb2.Progress(message=message, done=done, total=total)
        await self._emit(evidence_pb2.CollectEvidenceResponse(progress=progress))
