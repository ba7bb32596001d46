"""One run of the evidence phase: ask every source that fits, read the pages they lead to, score what comes back,
keep what counts, say what is missing.

Searches run side by side within the run's limits, finds are scored in batches as they arrive and shown at once;
the result is chosen when all have been heard, and does not depend on who answered first.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from chassis.budget import Budget
from chassis.clock import Clock
from chassis.limits import Profile
from chassis.resilience import limited, timed
from chassis.usage import UsageRecorder, current_usage
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2, evidence_pb2
from services.evidence import links, reading
from services.evidence.batches import Batches
from services.evidence.domain import asking, dedupe, scoring
from services.evidence.domain.model import Candidate, Found, IdeaFacts, Query
from services.evidence.domain.passages import PassageIndex
from services.evidence.domain.queries import Domain, build_queries
from services.evidence.domain.scoring import query_stems
from services.evidence.domain.select import select
from services.evidence.domain.stance import judge
from services.evidence.domain.words import content_stems, specific
from services.evidence.items import item
from services.evidence.outcome import Heard, Outcome, result_of
from services.evidence.providers.documents import DocumentsProvider
from services.evidence.providers.upstream import Tally, Upstream

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
EMBEDDED_MAX = 240
# Longest time for which one question may be open, its waits for turns and its retries included: a source that takes
# longer is missing from this run.
QUESTION_SECONDS = 40.0


@dataclass(frozen=True)
class Job:
    """What one call asked for, checked and read."""

    idea: IdeaFacts
    claims: tuple[common_pb2.Claim, ...]
    domains: tuple[Domain, ...]
    profile: Profile
    documents: DocumentsProvider
    # What paid searches and models of this run may cost, in micros of USD.
    allowance_micros: int = 0
    notices: tuple[common_pb2.Notice, ...] = ()
    missing: tuple[common_pb2.Missing, ...] = ()


@dataclass(frozen=True)
class Outside:
    """How pages are read and addresses looked at. None: they are not, as in an offline server."""

    reader: reading.Reader | None = None
    check: links.Check | None = None


@dataclass(frozen=True)
class Embedders:
    """Vectors for what is private to a run (its idea, its documents), and for texts that anybody can read.

    The second may remember on disk. None: words decide alone.
    """

    private: Embedder | None = None
    public: Embedder | None = None


@dataclass
class _State:
    """What a run has gathered so far."""

    heard: dict[str, Heard] = field(default_factory=dict)
    scored: list[Candidate] = field(default_factory=list)
    # Domains that a candidate was found for, by its place in memory: candidates live as long as the run.
    domains: dict[int, list[str]] = field(default_factory=dict)
    leads: list[reading.Lead] = field(default_factory=list)
    shown: set[str] = field(default_factory=set)
    embedded: int = 0
    claim_vectors: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    embedding_failed: bool = False
    asked_done: int = 0


class Collector:
    """Collects evidence for one job at a time; holds nothing between jobs."""

    def __init__(
        self, upstreams: Sequence[Upstream], embedders: Embedders, clock: Clock, outside: Outside | None = None
    ) -> None:
        self._upstreams = tuple(upstreams)
        self._embedders = embedders
        self._clock = clock
        self._outside = outside or Outside()

    async def collect(self, job: Job, private: Upstream, emit: Emit) -> evidence_pb2.EvidenceResult:
        """Return the result after emitting progress and items; `private` asks the run's own documents."""
        return await _Run(self, job, private, emit).run()


class _Run:
    def __init__(self, collector: Collector, job: Job, private: Upstream, emit: Emit) -> None:
        self._embedders = collector._embedders
        self._clock = collector._clock
        self._outside = Outside() if job.profile.offline else collector._outside
        self._job = job
        self._emit = emit
        self._usage: UsageRecorder = current_usage()
        self._state = _State()
        self._domains = {domain.name: domain for domain in job.domains}
        everybody = [*collector._upstreams, private]
        self._heard = [u for u in everybody if u.provider.offline or not job.profile.offline]
        self._silent = [u for u in everybody if u not in self._heard]
        self._operations = asyncio.Semaphore(job.profile.max_concurrent_operations)
        self._slots = asyncio.Semaphore(min(job.profile.max_concurrent_api_calls, job.profile.connection_pool_size))
        self._budget = Budget(job.allowance_micros)
        # What is embedded for the first time in a run belongs to one batch only.
        self._embedding = asyncio.Lock()

    async def run(self) -> evidence_pb2.EvidenceResult:
        job = self._job
        queries = build_queries(job.domains, job.claims, job.idea)
        asks = [(upstream, question) for upstream in self._heard for question in self._questions(upstream, queries)]
        await self._progress(f"asking {len(self._state.heard)} sources {len(asks)} questions", 0, len(asks))
        batches = Batches(self._score, job.profile.batch_size, job.profile.batch_timeout, self._clock, self._operations)
        async with asyncio.TaskGroup() as group:
            batches.start(group)
            async with asyncio.TaskGroup() as searches:
                for upstream, question in asks:
                    searches.create_task(self._ask(upstream, question, batches, len(asks)))
            readings = await self._read(batches)
            batches.close()
        await self._progress(f"choosing from {len(self._state.scored)} passages", len(asks), len(asks))
        chosen, states = await self._choose()
        return self._result(queries, chosen, states, readings)

    # ------------------------------------------------------------------------------------- searching

    def _questions(self, upstream: Upstream, queries: Sequence[Query]) -> list[asking.Question]:
        """What this source is asked: each question once, however many claims and domains want it answered."""
        provider, reuse = upstream.provider, self._job.profile.reuse_connections
        fitting = [replace(query, reuse_connections=reuse) for query in queries if provider.covers(query)]
        asked = asking.questions([(provider.key(query), query) for query in fitting])
        put = asking.within(asked, upstream.questions_max)
        if asked:
            self._state.heard[upstream.name] = Heard(upstream, left_out=len(asked) - len(put))
        if not provider.offline:
            self._usage.call_saved(sum(len(question.wanted) - 1 for question in put))
        return put

    async def _ask(self, upstream: Upstream, question: asking.Question, batches: Batches, total: int) -> None:
        state, heard = self._state, self._state.heard[upstream.name]
        found: Sequence[Found] = ()
        search = self._search(upstream, heard.tally)
        async with self._usage.operation():
            try:
                found = await search(question.query)
            except PipelineError as error:
                heard.tally.last_error = error.message
                heard.failure = error
            except Exception:
                # A defect of one source must not cost the run the others; its text stays in the log.
                _log.exception("provider %s failed", upstream.name)
                heard.tally.last_error = "internal error"
                heard.failure = PipelineError(errors_pb2.ERROR_REASON_INTERNAL, f"{upstream.name} failed")
        for source in found:
            if source.origin == common_pb2.TEXT_ORIGIN_SEARCH_SNIPPET and self._outside.reader is not None:
                state.leads.append(reading.Lead(source, question.wanted))
            else:
                self._take(source, question.wanted, batches)
        state.asked_done += 1
        if state.asked_done * 5 // total > (state.asked_done - 1) * 5 // total:
            await self._progress("hearing sources", state.asked_done, total)

    def _search(self, upstream: Upstream, tally: Tally) -> Callable[[Query], Awaitable[Sequence[Found]]]:
        """The upstream's search within this run's limits."""
        if upstream.provider.offline:
            return limited(upstream.operation(self._job.profile, self._slots, tally), self._operations)
        both = _Both(self._operations, self._slots)
        search = upstream.operation(self._job.profile, both, tally, self._budget)
        return timed(search, QUESTION_SECONDS, self._clock, name=upstream.name)

    async def _read(self, batches: Batches) -> reading.Readings:
        """Read the best of the pages that searches led to; what is beyond the bound is left out of the run."""
        reader, leads = self._outside.reader, self._state.leads
        if reader is None or not leads:
            return reading.Readings()
        best = reading.choose(leads)
        await self._progress(f"reading {len(best)} pages", self._state.asked_done, self._state.asked_done)
        readings = await reading.read_leads(best, reader, self._clock, caching=self._job.profile.caching)
        for lead in readings.sources:
            self._take(lead.found, lead.wanted, batches)
        return readings

    def _take(self, source: Found, wanted: Sequence[Query], batches: Batches) -> None:
        """Make the source's best passages candidates for each claim that wants it."""
        by_claim: dict[str, list[Query]] = {}
        for query in wanted:
            by_claim.setdefault(query.claim_id, []).append(query)
        for queries in by_claim.values():
            for start, end in self._spans(source, queries[0]):
                candidate = Candidate(source, queries[0], start, end)
                self._state.domains[id(candidate)] = list(dict.fromkeys(query.domain for query in queries))
                batches.add(candidate)

    def _spans(self, source: Found, query: Query) -> Sequence[tuple[int, int]]:
        if source.spans:
            return source.spans
        words = query_stems(query.terms) or specific(content_stems(query.text))
        return [span for span, _ in PassageIndex(source.text).best(words, PASSAGES_PER_FOUND)]

    # --------------------------------------------------------------------------------------- scoring

    async def _score(self, batch: Sequence[Candidate]) -> None:
        """Score one batch and show what passes."""
        async with self._usage.operation():
            cosines = await self._cosines(batch)
            now = self._clock.now()
            for candidate, cosine in zip(batch, cosines, strict=True):
                terms = candidate.query.terms or [candidate.query.text]
                candidate.relevance = scoring.relevance(candidate, terms, cosine)
                candidate.credibility = scoring.credibility(candidate.found)
                candidate.freshness = scoring.freshness(candidate.found, now)
                candidate.composite = scoring.composite(candidate)
                verdict = judge(candidate)
                candidate.stance, candidate.stance_confidence = verdict.stance, verdict.confidence
                candidate.stance_reason = verdict.reason
                self._state.scored.append(candidate)
        for candidate in batch:
            if self._domain_of(candidate) is None:
                continue
            shown = self._item(candidate)
            if shown.id not in self._state.shown:
                self._state.shown.add(shown.id)
                await self._emit(evidence_pb2.CollectEvidenceResponse(item=shown))

    async def _cosines(self, batch: Sequence[Candidate]) -> list[float | None]:
        """Likeness of each passage to its claim; None without vectors and for finds whose fit is known."""
        wanted = [c for c in batch if c.found.fit is None]
        if self._embedders.private is None or not wanted:
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
                new_claims = await self._embedders.private.embed(list(claims.values()))
                vectors = await self._embed(wanted)
            except Exception:
                # Words decide alone then; the reader is told.
                _log.exception("embedding failed")
                state.embedding_failed = True
                return [None] * len(batch)
            state.claim_vectors.update(zip(claims, new_claims, strict=True))
            found = {key: float(vector @ state.claim_vectors[claim]) for key, (claim, vector) in vectors.items()}
        return [found.get(id(c)) for c in batch]

    async def _embed(self, wanted: Sequence[Candidate]) -> dict[int, tuple[str, NDArray[np.float32]]]:
        """Claim and vector of each quote, by the candidate's place in memory. A founder's words stay in memory."""
        made: dict[int, tuple[str, NDArray[np.float32]]] = {}
        for embedder, private in ((self._embedders.private, True), (self._embedders.public, False)):
            part = [c for c in wanted if (c.found.origin == common_pb2.TEXT_ORIGIN_USER_DOCUMENT) == private]
            if part and embedder is not None:
                rows = await embedder.embed([c.quote for c in part])
                made.update((id(c), (c.query.claim_id, row)) for c, row in zip(part, rows, strict=True))
        return made

    def _domain_of(self, candidate: Candidate) -> str | None:
        """The first of the candidate's domains whose threshold it reaches."""
        names = self._state.domains[id(candidate)]
        return next((n for n in names if candidate.composite >= self._domains[n].quality_threshold), None)

    # ---------------------------------------------------------------------------------------- result

    async def _choose(self) -> tuple[list[Candidate], dict[str, common_pb2.LinkStatus.ValueType]]:
        """The finds that are shown, and the state of their addresses: what nobody can open makes room for the next."""
        good = [c for c in self._state.scored if self._domain_of(c) is not None]
        chosen = select(dedupe.merge_duplicates(good))
        states = await links.look(chosen, self._outside.check, self._clock, {})
        useless = {url for url, state in states.items() if state in links.USELESS}
        if useless:
            good = [c for c in good if c.found.url not in useless]
            chosen = select(dedupe.merge_duplicates(good))
            states = await links.look(chosen, self._outside.check, self._clock, states)
            chosen = [c for c in chosen if states[c.found.url] not in links.USELESS]
        return chosen, states

    def _item(self, candidate: Candidate) -> common_pb2.EvidenceItem:
        return item(candidate, self._domain_of(candidate) or candidate.query.domain, self._clock.now())

    def _result(
        self,
        queries: Sequence[Query],
        chosen: Sequence[Candidate],
        states: dict[str, common_pb2.LinkStatus.ValueType],
        readings: reading.Readings,
    ) -> evidence_pb2.EvidenceResult:
        job, state = self._job, self._state
        items = []
        kept, found_for = dict.fromkeys(self._domains, 0), dict.fromkeys(self._domains, 0)
        for candidate in chosen:
            made = self._item(candidate)
            made.link_status = states[candidate.found.url]
            items.append(made)
            for name in state.domains[id(candidate)]:
                kept[name] += candidate.composite >= self._domains[name].quality_threshold
        for candidate in state.scored:
            for name in state.domains[id(candidate)]:
                found_for[name] += 1
        outcome = Outcome(
            claims=job.claims,
            domains=job.domains,
            queries=queries,
            items=items,
            chosen=chosen,
            kept=kept,
            found_for=found_for,
            heard=state.heard,
            silent=[upstream.name for upstream in self._silent],
            dropped_links={url for url, status in states.items() if status in links.USELESS},
            by_words_alone=self._embedders.private is None or state.embedding_failed,
        )
        result = result_of(outcome, [*job.notices], [*job.missing, *readings.missing()], self._usage)
        result.usage.spend.extend(self._budget.status().entries)
        return result

    async def _progress(self, message: str, done: int, total: int) -> None:
        progress = common_pb2.Progress(message=message, done=done, total=total)
        await self._emit(evidence_pb2.CollectEvidenceResponse(progress=progress))


class _Both(AbstractAsyncContextManager[None]):
    """Two bounds as one: a call to the outside is an operation as well."""

    def __init__(self, outer: asyncio.Semaphore, inner: asyncio.Semaphore) -> None:
        self._outer, self._inner = outer, inner

    async def __aenter__(self) -> None:
        await self._outer.acquire()
        try:
            await self._inner.acquire()
        except BaseException:
            self._outer.release()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._inner.release()
        self._outer.release()
