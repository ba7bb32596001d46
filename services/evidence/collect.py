"""One run of the evidence phase: ask every source that fits, read the pages they lead to, score what comes back,
keep what counts, say what is missing.

Searches run side by side within the run's limits, finds are scored in batches as they arrive and shown at once;
the result is chosen when all have been heard, and does not depend on who answered first.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace

from chassis.budget import Budget
from chassis.clock import Clock
from chassis.deadline import share_of_time
from chassis.limits import Profile
from chassis.models.text import NoTextModel, TextModel
from chassis.models.use import ModelUse
from chassis.resilience import limited, timed
from chassis.usage import UsageRecorder, current_usage
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2, evidence_pb2
from services.evidence import links, model_stance, page_reading
from services.evidence.batches import Batches
from services.evidence.domain import asking, dedupe, hostile, scoring
from services.evidence.domain.bm25 import Collection
from services.evidence.domain.model import Candidate, Found, IdeaFacts, Query
from services.evidence.domain.passages import PassageIndex
from services.evidence.domain.queries import Domain, build_queries
from services.evidence.domain.scoring import query_stems
from services.evidence.domain.select import select
from services.evidence.domain.stance import Judgement, judge
from services.evidence.domain.words import content_stems, specific
from services.evidence.items import item
from services.evidence.network import Network
from services.evidence.outcome import Heard, Outcome, result_of
from services.evidence.planning import plan
from services.evidence.providers.documents import DocumentsProvider
from services.evidence.providers.upstream import Tally, Upstream
from services.evidence.stance_data import stance_models
from services.evidence.vectors import Embedders, RunVectors

_log = logging.getLogger(__name__)

Emit = Callable[[evidence_pb2.CollectEvidenceResponse], Awaitable[None]]

# Passages of one source that are scored for one claim, where the provider names none.
PASSAGES_PER_FOUND = 2
# Finds of one claim that are shown while the search goes on; each is an event of the run. The result chooses from all.
SHOWN_PER_CLAIM = 8
# Longest time for which one question may be open, its waits for turns and its retries included, and the share of the
# call's time that it may take: a source that takes longer is missing from this run.
QUESTION_SECONDS = 40.0
QUESTION_SHARE = 0.45


@dataclass(frozen=True)
class Job:
    """What one call asked for, checked and read."""

    idea: IdeaFacts
    claims: tuple[common_pb2.Claim, ...]
    domains: tuple[Domain, ...]
    profile: Profile
    documents: DocumentsProvider
    # What paid searches and models of this run may cost, in micros of USD, and what their bookings are keyed by.
    allowance_micros: int = 0
    effect_key: str = "evidence"
    notices: tuple[common_pb2.Notice, ...] = ()
    missing: tuple[common_pb2.Missing, ...] = ()


@dataclass(frozen=True)
class Outside:
    """How pages are read and addresses looked at. None: they are not, as in an offline server."""

    reader: page_reading.Reader | None = None
    check: links.Check | None = None


@dataclass
class _State:
    """What a run has gathered so far."""

    heard: dict[str, Heard] = field(default_factory=dict)
    scored: list[Candidate] = field(default_factory=list)
    # Domains that a candidate was found for, by its place in memory: candidates live as long as the run.
    domains: dict[int, list[str]] = field(default_factory=dict)
    leads: list[page_reading.Lead] = field(default_factory=list)
    shown: set[str] = field(default_factory=set)
    # Finds shown as they came, by claim.
    told: Counter[str] = field(default_factory=Counter)
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

    def __init__(
        self,
        upstreams: Sequence[Upstream],
        embedders: Embedders,
        clock: Clock,
        outside: Outside | None = None,
        model: TextModel | None = None,
    ) -> None:
        self._model = model or NoTextModel()
        self._upstreams = tuple(upstreams)
        self._embedders = embedders
        self._clock = clock
        self._outside = outside or Outside()

    async def collect(self, job: Job, private: Upstream, emit: Emit) -> evidence_pb2.EvidenceResult:
        """Return the result after emitting progress and items; `private` asks the run's own documents."""
        return await _Run(self, job, private, emit).run()


class _Run:
    def __init__(self, collector: Collector, job: Job, private: Upstream, emit: Emit) -> None:
        self._vectors = RunVectors(collector._embedders)
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
        self._question_seconds = share_of_time(QUESTION_SECONDS, QUESTION_SHARE)
        self._own: dict[tuple[str, str], Query] = {}
        self._network = Network()
        self._budget = Budget(job.allowance_micros)
        offline = job.profile.offline
        self._model = ModelUse(
            collector._model, self._budget, key=job.effect_key, phase=common_pb2.PHASE_EVIDENCE, offline=offline
        )

    async def run(self) -> evidence_pb2.EvidenceResult:
        job = self._job
        own = build_queries(job.domains, job.claims, job.idea)
        # What is found with a model's phrase is still weighed by the claim's own words.
        self._own = {(query.claim_id, query.domain): query for query in own}
        queries = await plan(own, self._model)
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
                if upstream.provider.offline:
                    found = await search(question.query)
                else:
                    heard.tally.attempted = lambda error: self._network.attempted(upstream.name, error)
                    found = await self._network.unless_absent(lambda: search(question.query), upstream.name)
            except PipelineError as error:
                heard.tally.last_error = error.message
                heard.failure = error
            except Exception:
                # A defect of one source must not cost the run the others; its text stays in the log.
                _log.exception("provider %s failed", upstream.name)
                heard.tally.last_error = "internal error"
                heard.failure = PipelineError(errors_pb2.ERROR_REASON_INTERNAL, f"{upstream.name} failed")
        for source in map(hostile.flagged, found):
            if source.origin == common_pb2.TEXT_ORIGIN_SEARCH_SNIPPET and self._outside.reader is not None:
                state.leads.append(page_reading.Lead(source, question.wanted))
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
        return timed(search, self._question_seconds, self._clock, name=upstream.name)

    async def _read(self, batches: Batches) -> page_reading.Readings:
        """Read the best of the pages that searches led to; what is beyond the bound is left out of the run."""
        reader, leads = self._outside.reader, self._state.leads
        if reader is None or not leads:
            return page_reading.Readings()
        best = page_reading.choose(leads)
        await self._progress(f"reading {len(best)} pages", self._state.asked_done, self._state.asked_done)
        readings = await page_reading.read_leads(best, reader, self._clock, caching=self._job.profile.caching)
        for lead in readings.sources:
            self._take(lead.found, lead.wanted, batches)
        return readings

    def _take(self, source: Found, wanted: Sequence[Query], batches: Batches) -> None:
        """Make the source's best passages candidates for each claim that wants it."""
        by_claim: dict[str, list[Query]] = {}
        for query in wanted:
            by_claim.setdefault(query.claim_id, []).append(self._own[query.claim_id, query.domain])
        for queries in by_claim.values():
            for start, end in self._spans(source, queries[0]):
                candidate = Candidate(source, queries[0], start, end)
                self._state.domains[id(candidate)] = list(dict.fromkeys(query.domain for query in queries))
                batches.add(candidate)

    def _spans(self, source: Found, query: Query) -> Sequence[tuple[int, int]]:
        if source.spans:
            return source.spans
        words = query_stems(query.terms) or specific(content_stems(query.text))
        best = [span for span, _ in PassageIndex(source.text).best(words, PASSAGES_PER_FOUND + 1)]
        # A headline says what a text is about, the text says something about it.
        title = source.title.strip()
        telling = [(start, end) for start, end in best if source.text[start:end].strip() != title]
        return (telling or best)[:PASSAGES_PER_FOUND]

    # --------------------------------------------------------------------------------------- scoring

    async def _score(self, batch: Sequence[Candidate]) -> None:
        """Score one batch and show what passes."""
        async with self._usage.operation():
            cosines = await self._vectors.cosines(batch)
            now = self._clock.now()
            for candidate, cosine in zip(batch, cosines, strict=True):
                candidate.cosine = cosine
                candidate.credibility = scoring.credibility(candidate.found)
                candidate.freshness = scoring.freshness(candidate.found, now)
                self._state.know(candidate)
                self._weigh(candidate)
                self._state.scored.append(candidate)
        for candidate in batch:
            claim = candidate.query.claim_id
            if self._domain_of(candidate) is None or self._state.told[claim] >= SHOWN_PER_CLAIM:
                continue
            shown = self._item(candidate)
            if shown.id not in self._state.shown:
                self._state.shown.add(shown.id)
                self._state.told[claim] += 1
                await self._emit(evidence_pb2.CollectEvidenceResponse(item=shown))

    def _weigh(self, candidate: Candidate) -> None:
        """Set what depends on how rare words are among the run's passages: relevance, its sum, and the stance."""
        was_read = scoring.is_about(candidate)
        terms = candidate.query.terms or [candidate.query.text]
        candidate.relevance = scoring.relevance(candidate, terms, candidate.cosine, self._state.collection)
        candidate.composite = scoring.composite(candidate)
        if not candidate.stance_method or was_read != scoring.is_about(candidate):
            _settle(candidate, judge(candidate, stance_models()))

    def _domain_of(self, candidate: Candidate) -> str | None:
        """The first of the candidate's domains whose threshold it reaches."""
        names = self._state.domains[id(candidate)]
        return next((n for n in names if candidate.composite >= self._domains[n].quality_threshold), None)

    # ---------------------------------------------------------------------------------------- result

    async def _choose(self) -> tuple[list[Candidate], dict[str, common_pb2.LinkStatus.ValueType]]:
        """The finds that are shown, and the state of their addresses: what nobody can open makes room for the next."""
        for candidate in self._state.scored:
            # All passages are known now: the scores no longer depend on who answered first.
            self._weigh(candidate)
        good = [c for c in self._state.scored if self._domain_of(c) is not None]
        chosen = await self._judged(good, select(dedupe.merge_duplicates(good)))
        check = None if self._network.absent.is_set() else self._outside.check
        states = await links.look(chosen, check, self._clock, {})
        useless = {url for url, state in states.items() if state in links.USELESS}
        if useless:
            good = [c for c in good if c.found.url not in useless]
            chosen = select(dedupe.merge_duplicates(good))
            states = await links.look(chosen, check, self._clock, states)
            chosen = [c for c in chosen if states[c.found.url] not in links.USELESS]
        return chosen, states

    async def _judged(self, good: Sequence[Candidate], chosen: list[Candidate]) -> list[Candidate]:
        """The choice anew where a text model reads some of the chosen passages otherwise than the rules."""
        judgements = await model_stance.judge(chosen, self._model)
        if not any(judgements):
            return chosen
        for candidate, judgement in zip(chosen, judgements, strict=True):
            if judgement is not None:
                _settle(candidate, judgement)
        return select(dedupe.merge_duplicates(good))

    def _item(self, candidate: Candidate) -> common_pb2.EvidenceItem:
        return item(candidate, self._domain_of(candidate) or candidate.query.domain, self._clock.now())

    def _result(
        self,
        queries: Sequence[Query],
        chosen: Sequence[Candidate],
        states: dict[str, common_pb2.LinkStatus.ValueType],
        readings: page_reading.Readings,
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
            no_network=self._network.absent.is_set(),
            dropped_links={url for url, status in states.items() if status in links.USELESS},
            by_words_alone=self._vectors.failed,
        )
        notices = [*job.notices, *self._model.notices()]
        missing = [*job.missing, *readings.missing(), *self._model.missing()]
        result = result_of(outcome, notices, missing, self._usage)
        result.usage.spend.extend(self._budget.status().entries)
        return result

    async def _progress(self, message: str, done: int, total: int) -> None:
        progress = common_pb2.Progress(message=message, done=done, total=total)
        await self._emit(evidence_pb2.CollectEvidenceResponse(progress=progress))


def _settle(candidate: Candidate, judgement: Judgement) -> None:
    candidate.stance, candidate.stance_confidence = judgement.stance, judgement.confidence
    candidate.stance_reason = judgement.reason
    candidate.stance_method, candidate.stance_features = judgement.method, judgement.features


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
