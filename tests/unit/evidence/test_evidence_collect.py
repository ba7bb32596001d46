"""One run of the evidence phase over fakes: concurrency, batches, gaps, and a result that does not depend on luck."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from chassis.limits import Profile
from chassis.testing import FakeEmbedder, ManualClock, recording_telemetry, settle
from chassis.usage import record_usage
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2, evidence_pb2
from services.evidence.collect import Collector, Job
from services.evidence.domain.model import Found, IdeaFacts, Query
from services.evidence.domain.queries import Domain, read_domains
from services.evidence.providers.documents import DocumentsProvider, open_documents
from services.evidence.providers.fake import FakeProvider
from services.evidence.providers.upstream import Upstream
from services.evidence.vectors import EMBEDDED_MAX, Embedders
from tests.support.evidence_kit import FOOD, NOW, found

PB = common_pb2
CLAIMS = tuple(
    PB.Claim(id=slug, kind=kind, text=f"Households {slug} food waste.", terms=["food waste", "households"])
    for slug, kind in (
        ("problem", PB.CLAIM_KIND_PROBLEM),
        ("competition", PB.CLAIM_KIND_COMPETITION),
        ("timing", PB.CLAIM_KIND_TIMING),
    )
)


def around(provider: Any, clock: ManualClock, **settings: Any) -> Upstream:
    return Upstream(provider, telemetry=recording_telemetry(), clock=clock, **settings)


class Bench:
    """Runs a collector and keeps what it emitted."""

    def __init__(self, *providers: Any, embedder: Any = None, **profile: Any) -> None:
        self.clock = ManualClock(NOW)
        self.profile = Profile(**profile)
        upstreams = [around(p, self.clock) for p in providers]
        self.collector = Collector(upstreams, Embedders(embedder, embedder), self.clock)
        self.emitted: list[evidence_pb2.CollectEvidenceResponse] = []

    async def run(
        self,
        domains: Sequence[Domain] = tuple(read_domains([])),
        documents: DocumentsProvider | None = None,
        claims: Sequence[common_pb2.Claim] = CLAIMS,
    ) -> evidence_pb2.EvidenceResult:
        async def emit(message: evidence_pb2.CollectEvidenceResponse) -> None:
            self.emitted.append(message)

        private = documents or DocumentsProvider(())
        job = Job(IdeaFacts(FOOD), tuple(claims), tuple(domains), self.profile, private)
        upstream = around(private, self.clock, private=True)
        with record_usage() as self.usage:
            return await self.collector.collect(job, upstream, emit)

    @property
    def items(self) -> list[common_pb2.EvidenceItem]:
        return [m.item for m in self.emitted if m.HasField("item")]


def say(*texts: str, **fields: Any) -> list[Found]:
    return [
        found(text, url=f"https://{n}.example/{text[:3]}", published_at=NOW, **fields) for n, text in enumerate(texts)
    ]


PAIN = "Households waste food every week, and the food waste is so frustrating."


async def test_finds_are_shown_as_items_and_end_in_the_result() -> None:
    """Each item has its claim, a quote at its offsets, its scores and a reason; progress is told."""
    bench = Bench(FakeProvider(lambda q: say(f"Intro to {q.claim_id}.\n\n{PAIN}")))
    result = await bench.run()
    assert result.items
    for item in result.items:
        assert item.verified
        assert item.id in {shown.id for shown in bench.items}
        assert item.claim_id in {c.id for c in CLAIMS}
        assert item.retrieved_at.ToDatetime(NOW.tzinfo) == NOW
        assert item.composite == pytest.approx(
            0.4 * item.relevance + 0.4 * item.credibility + 0.2 * item.freshness, abs=1e-3
        )
        assert item.rationale
        assert item.domain in {d.name for d in result.domains}
    assert any(m.HasField("progress") for m in bench.emitted)
    assert [i.composite for i in result.items] == sorted((i.composite for i in result.items), reverse=True)


async def test_ids_are_unique_and_the_same_in_every_run() -> None:
    """Two runs over the same sources have the same ids in the same order."""
    runs = [await Bench(FakeProvider(say(PAIN, "Food waste is growing, households say."))).run() for _ in range(2)]
    one, other = ([i.id for i in r.items] for r in runs)
    assert one == other
    assert len(set(one)) == len(one)


class _Slow:
    """Answers when told to; knows how many ask at once."""

    def __init__(self, offline: bool) -> None:
        self.name = "slow"
        self.offline = offline
        self.now = self.most = 0
        self.go = asyncio.Event()

    def covers(self, query: Query) -> bool:
        return True

    def key(self, query: Query) -> str:
        return f"{query.domain}{query.claim_id}"

    async def search(self, query: Query) -> Sequence[Found]:
        self.now += 1
        self.most = max(self.most, self.now)
        await self.go.wait()
        self.now -= 1
        return ()


@pytest.mark.parametrize(
    ("offline", "profile", "most"),
    [
        (True, {"max_concurrent_operations": 3}, 3),
        (False, {"max_concurrent_operations": 10, "max_concurrent_api_calls": 2}, 2),
        (False, {"max_concurrent_operations": 10, "connection_pool_size": 1}, 1),
    ],
)
async def test_no_more_is_asked_at_once_than_the_profile_allows(
    offline: bool, profile: dict[str, int], most: int
) -> None:
    """Operations, and calls to the outside, are bounded and use their bound."""
    slow = _Slow(offline)
    bench = Bench(slow, **profile)
    domains = [Domain(f"d{n}") for n in range(4)]
    task = asyncio.create_task(bench.run(domains))
    await settle(60)
    slow.go.set()
    await task
    assert slow.most == most
    assert bench.usage.operations == 12
    assert bench.usage.parallel_operations > 1


async def test_finds_are_scored_in_batches_of_the_profiles_size() -> None:
    """Forty candidates in batches of ten are four scoring operations beside the searches."""

    class Counting(FakeEmbedder):
        calls: int = 0

        async def embed(self, texts: Sequence[str]) -> Any:
            type(self).calls += 1
            return await super().embed(texts)

    texts = [f"{PAIN} Number {n} of those who wrote about it." for n in range(40)]
    bench = Bench(FakeProvider(say(*texts)), embedder=Counting(), batch_size=10)
    await bench.run([Domain("one")], claims=CLAIMS[:1])
    assert Counting.calls == 1 + 4  # the claim, and each batch
    assert bench.usage.operations == 1 + 4


async def test_a_batch_does_not_wait_for_ever_for_a_slow_source() -> None:
    """What the fast source found is shown while the slow one is still asked."""
    slow = _Slow(True)
    bench = Bench(FakeProvider(say(PAIN)), slow, batch_size=100, batch_timeout=0.5)
    task = asyncio.create_task(bench.run())
    await settle()
    assert bench.items == []
    await bench.clock.tick(0.6)
    assert bench.items
    slow.go.set()
    await task


async def test_the_texts_embedded_for_a_run_are_bounded() -> None:
    """A flood of passages does not turn into minutes of computing."""
    embedder = FakeEmbedder()
    texts = [f"{PAIN} Number {n}, written by somebody else." for n in range(200)]
    await Bench(FakeProvider(say(*texts)), embedder=embedder).run()
    assert embedder.texts_embedded <= EMBEDDED_MAX


async def test_an_embedder_that_fails_leaves_the_words() -> None:
    """The run goes on and says so."""

    class Broken(FakeEmbedder):
        async def embed(self, texts: Sequence[str]) -> Any:
            raise RuntimeError("no model")

    result = await Bench(FakeProvider(say(PAIN)), embedder=Broken()).run()
    assert result.items
    assert [n.subject for n in result.notices] == ["embedder"]


async def test_a_failing_source_costs_the_run_nothing_else() -> None:
    """Its failure is a Missing with its reason and its report; the other's finds stand; defects stay anonymous."""
    error = PipelineError(errors_pb2.ERROR_REASON_UPSTREAM_FAILED, "bad answered 503", retry_after=30)
    bench = Bench(
        FakeProvider(say(PAIN, provider="good"), name="good"),
        FakeProvider(error, name="bad"),
        FakeProvider(RuntimeError("secret path"), name="buggy"),
    )
    result = await bench.run()
    assert result.items
    failed = {m.subject: m for m in result.missing if m.kind == PB.MISSING_KIND_SOURCE_FAILED}
    assert failed["bad"].error == errors_pb2.ERROR_REASON_UPSTREAM_FAILED
    assert "503" in failed["bad"].reason
    assert "30 seconds" in failed["bad"].next_step
    assert failed["buggy"].error == errors_pb2.ERROR_REASON_INTERNAL
    assert "secret" not in str(result)
    reports = {p.provider: p for p in result.providers}
    assert reports["bad"].failures == reports["bad"].calls > 0
    assert reports["good"].items == len(result.items)
    assert reports["good"].breaker_state == "closed"


async def test_offline_asks_no_source_outside_and_names_each() -> None:
    """Neither a call nor silence about it."""
    online = FakeProvider(say(PAIN), name="web", offline=False)
    result = await Bench(FakeProvider(say(PAIN)), online, offline=True).run()
    assert online.asked == []
    (missing,) = [m for m in result.missing if m.kind == PB.MISSING_KIND_OFFLINE]
    assert missing.subject == "web"
    assert missing.next_step
    assert "web" not in [p.provider for p in result.providers]


async def test_claims_and_domains_without_evidence_are_named() -> None:
    """No coverage per claim, a shortfall per domain, nothing made up."""
    result = await Bench(FakeProvider(())).run()
    assert list(result.items) == []
    kinds = [m.kind for m in result.missing]
    assert kinds.count(PB.MISSING_KIND_NO_COVERAGE) == len(CLAIMS)
    assert kinds.count(PB.MISSING_KIND_SHORTFALL) == 5


async def test_a_domains_threshold_and_count_are_honoured() -> None:
    """What is below the threshold is dropped and missing from the count."""
    strict = Domain("strict", quality_threshold=0.99, min_evidence_count=1)
    result = await Bench(FakeProvider(say(PAIN))).run([strict, Domain("easy", min_evidence_count=1)])
    by_name = {d.name: d for d in result.domains}
    assert by_name["strict"].items_kept == 0 < by_name["strict"].items_found
    assert by_name["easy"].items_kept == len(result.items) > 0
    assert {i.domain for i in result.items} == {"easy"}
    assert [m.subject for m in result.missing if m.kind == PB.MISSING_KIND_SHORTFALL] == ["strict"]


async def test_equal_questions_of_two_domains_are_asked_once() -> None:
    """Both domains count the find; outside, the second call is counted as saved."""
    online = FakeProvider(say(PAIN), offline=False)
    bench = Bench(online)
    result = await bench.run([Domain("a"), Domain("b")], claims=CLAIMS[:1])
    assert len(online.asked) == 1
    assert bench.usage.external_calls_saved == 1
    assert [d.items_kept for d in result.domains] == [len(result.items)] * 2


async def test_the_founders_documents_are_heard_beside_many_web_sources() -> None:
    """A web that fills every claim's places does not silence what the founder gave, nor is it outranked by it."""

    def web(query: Query) -> list[Found]:
        place = query.claim_id
        texts = [f"In {place}{n} households of town{n} find food waste{n} costly, waste of food{n}." for n in range(12)]
        return say(*texts, source_type=PB.SOURCE_TYPE_SCHOLARLY)

    notes = "Households told us that they waste food.\n\nThe food waste of households is worst on Fridays."
    own = await open_documents([PB.Document(name="n.txt", content=notes.encode())])
    result = await Bench(FakeProvider(web)).run(documents=own)
    kept = [item for item in result.items if item.provider == "documents"]
    assert kept
    assert {item.source_type for item in kept} == {PB.SOURCE_TYPE_USER_DOCUMENT}
    for item in kept:
        others = [i.composite for i in result.items if i.claim_id == item.claim_id and i.provider != "documents"]
        assert len(others) == 7
        assert item.composite < min(others)
    assert not any(notice.subject == "documents" for notice in result.notices)


async def test_documents_that_say_nothing_of_the_claims_are_told_of() -> None:
    """Who gave documents and finds none of them quoted is told why."""
    own = await open_documents([PB.Document(name="n.txt", content=b"Households like music, dance and the sea.")])
    result = await Bench(FakeProvider(say(PAIN))).run(documents=own)
    assert not any(item.provider == "documents" for item in result.items)
    assert [notice.subject for notice in result.notices].count("documents") == 1


async def test_a_second_run_is_served_from_the_cache_but_never_documents() -> None:
    """Answers of sources may be kept between runs, what a founder gave may not."""
    provider = FakeProvider(say(PAIN))
    bench = Bench(provider)
    own = await open_documents([PB.Document(name="n.txt", content=PAIN.encode())])
    first = await bench.run(documents=own)
    asked = len(provider.asked)
    assert any(i.provider == "documents" for i in first.items)
    second = await bench.run()
    assert len(provider.asked) == asked
    assert bench.usage.cache_hits == asked
    assert not any(i.provider == "documents" for i in second.items)


async def test_the_founders_words_rank_below_an_independent_source() -> None:
    """The same sentence counts more where somebody else wrote it."""
    own = await open_documents([PB.Document(name="n.txt", content=PAIN.encode())])
    other = "Food waste frustrates households every week, and that is a waste of money."
    result = await Bench(FakeProvider(say(other))).run(documents=own)
    best = {i.provider: i.composite for i in reversed(result.items)}
    assert best["documents"] < best["fake"]


async def test_a_cancelled_run_leaves_no_task_behind() -> None:
    """Cancellation reaches the searches."""
    slow = _Slow(True)
    before = len(asyncio.all_tasks())
    task = asyncio.create_task(Bench(slow).run())
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(asyncio.all_tasks()) == before
