"""Criteria, knock-outs, verdict rules, duplicates and the idea store's contract."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.idea.reading import read_idea
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2
from pipeline.v1 import validation_pb2 as vpb
from services.validation.domain import criteria, duplicates, harm, verdict
from services.validation.domain.duplicates import StoredIdea
from services.validation.domain.harm import Harm
from services.validation.providers.base import IdeaStore, MemoryIdeaStore
from services.validation.providers.sqlite import SqliteIdeaStore

FOOD = "A mobile app that helps households waste less food by tracking expiry dates and suggesting recipes"
CLINIC = "A scheduling tool for small clinics that reduces no-shows with automatic reminders and waitlist filling"
INVOICE = "A B2B tool that detects fraudulent invoices before finance teams pay them"
TUTOR = "A marketplace that matches high school students with vetted tutors for online lessons"
DRONE = "A drone service that scans farm fields and tells growers where to irrigate and spray"
PLATFORM = "AI-powered startup idea validation platform"
REFERENCE = (FOOD, CLINIC, INVOICE, TUTOR, DRONE, PLATFORM)
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def scores(text: str) -> dict[str, int | None]:
    return {
        verdict.name_of(c.criterion): c.score if c.HasField("score") else None
        for c in criteria.score(read_idea(text).profile)
    }


def decided(text: str) -> vpb.Verdict:
    return verdict.decide(criteria.score(read_idea(text).profile), harm.find(text))


# Criteria


def test_every_score_has_a_basis_and_every_gap_an_edit() -> None:
    """A score has words, a reason, a confidence and, below 5, an edit; without a basis there is no score."""
    for text in REFERENCE:
        found = criteria.score(read_idea(text).profile)
        assert [c.criterion for c in found] == list(criteria.ORDER)
        for scored in found:
            assert scored.reason.endswith(".")
            if scored.HasField("score"):
                assert 1 <= scored.score <= 5
                assert scored.basis
                assert 0 < scored.confidence < 1
                assert bool(scored.improvement) == (scored.score < 5)
            else:
                assert scored.improvement
                assert not scored.basis


def test_the_reference_ideas_score_differently() -> None:
    """No two reference ideas have the same eight scores."""
    assert len({tuple(scores(text).values()) for text in REFERENCE}) == len(REFERENCE)


@pytest.mark.parametrize(
    ("weaker", "stronger", "criterion"),
    [
        ("A tool that tracks expiry dates", "A tool for small bakeries that tracks expiry dates", "audience"),
        ("An app for people that suggests recipes", "An app for night-shift nurses that suggests recipes", "audience"),
        ("A tool for clinics that books appointments", "A tool for clinics that reduces no-shows", "problem"),
        (
            "A tool for clinics that reduces no-shows",
            "A tool for clinics that reduces no-shows, which cost 300 euros a week",
            "problem",
        ),
        (
            "AI-powered recipe platform",
            "A recipe app for students that plans meals by scanning receipts",
            "differentiation",
        ),
        (
            "A fusion reactor for cities that stabilises plasma",
            "A web app for clubs that collects membership fees",
            "feasibility",
        ),
        (
            "A tool for clinics that books children and diagnoses patients with blood tests",
            "A tool for gardeners that plans beds",
            "risk",
        ),
        ("A tool for people that tracks habits", "A tool for law firms that tracks habits, sold per seat", "market"),
        (
            "An innovative AI-powered ecosystem solution",
            "A tool that warns bakers 2 hours before dough spoils by weighing it",
            "specificity",
        ),
        ("Recipe platform", "A mobile app for families that cuts food waste by tracking expiry dates", "clarity"),
    ],
)
def test_better_words_score_higher(weaker: str, stronger: str, criterion: str) -> None:
    """Each criterion rises when the idea says what the criterion asks for (no score counts as 0)."""
    assert (scores(weaker)[criterion] or 0) < (scores(stronger)[criterion] or 0)


def test_silence_is_not_scored() -> None:
    """An idea that names no audience and no problem is not scored on them."""
    found = scores("A neutral arbitration API designed to resolve formal questions using rules")
    assert found["audience"] is None
    assert found["market"] is None


# Poor input


@pytest.mark.parametrize(
    "text",
    [
        "An app for everyone",
        "An app for everyone that makes life better",
        "A blockchain-based AI-powered metaverse ecosystem solution that empowers synergy",
        "My cat likes to sleep on the sofa all day long",
        "Roses are red, violets are blue, sugar is sweet and so are you",
        "I want to be rich and famous by next year",
        "What is the capital of France?",
    ],
)
def test_what_is_no_idea_is_not_judged(text: str) -> None:
    """Where nobody is named and nothing goes wrong, or nothing is built, there is no recommendation either way."""
    result = decided(text)
    assert result.recommendation == vpb.RECOMMENDATION_INCONCLUSIVE
    assert result.would_change


def test_everybody_is_the_weakest_audience() -> None:
    """ "for everyone" is scored 1 with its words, and the edit says what to put in its place."""
    found = {c.criterion: c for c in criteria.score(read_idea("A recipe app for everyone that plans meals").profile)}
    audience = found[vpb.CRITERION_AUDIENCE]
    assert (audience.score, list(audience.basis)) == (1, ["for everyone"])
    assert "everyone" in audience.improvement


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A time machine for tourists that lets them visit ancient Rome", "time machine"),
        ("A device for pensioners that turns lead into gold", "lead into gold"),
    ],
)
def test_what_nature_forbids_is_not_feasible(text: str, words: str) -> None:
    """An impossible promise scores 1 on feasibility with its words, and holds the idea below GO."""
    found = {c.criterion: c for c in criteria.score(read_idea(text).profile)}
    assert (found[vpb.CRITERION_FEASIBILITY].score, list(found[vpb.CRITERION_FEASIBILITY].basis)) == (1, [words])
    assert decided(text).recommendation != vpb.RECOMMENDATION_GO


@pytest.mark.parametrize(
    "text",
    [
        "A free service that costs 50 dollars a month for plumbers who send quotes",
        "An offline-only cloud platform for fans that streams live video of matches",
        "A mobile app for pensioners who never go online",
    ],
)
def test_a_contradiction_is_named(text: str) -> None:
    """Two statements that cannot both hold make the idea unclear, and both are quoted."""
    clarity = criteria.score(read_idea(text).profile)[0]
    assert clarity.score == 2
    assert len(clarity.basis) == 2
    assert all(part in text for part in clarity.basis)


def test_a_free_trial_contradicts_no_price() -> None:
    """A free tier beside a price is a business model, not a contradiction."""
    clarity = criteria.score(read_idea("An invoicing app for plumbers, free trial, then $9 per month").profile)[0]
    assert not clarity.reason.startswith("It contradicts")


# Knock-outs


@pytest.mark.parametrize(
    "text",
    [
        "An app that sells fake passports to travellers",
        "A marketplace for stolen credit cards",
        "A service that generates fake reviews for restaurants",
        "We build ransomware kits and sell them to small gangs",
        "An app that helps people secretly track their wife's phone",
        "A platform where anyone can hire a hitman",
        "A tool that launders crypto money for a fee",
        "A call centre service that scams elderly people",
    ],
)
def test_harmful_purposes_are_knocked_out(text: str) -> None:
    """Proposing a harmful act is NO_GO, whatever the scores."""
    result = decided(text)
    assert result.recommendation == vpb.RECOMMENDATION_NO_GO
    assert result.reasons[0].rule == "knock_out_harmful_purpose"


@pytest.mark.parametrize(
    "text",
    [
        INVOICE,
        "A tool that detects fake reviews for restaurants",
        "A browser extension that warns people before they buy from shops that sell stolen goods",
        "Ransomware recovery service for small hospitals",
        "A training that helps employees recognise phishing emails",
        "Software that prevents criminals from laundering money through small banks",
        "A platform that protects elderly people against scammers who trick seniors into paying",
        "A game in which a detective hunts a hitman",
        "An app that helps pharmacies manage prescription drugs",
        "A marketplace for second-hand bikes with a stolen-bike check",
        "A kitchen knife subscription for home cooks",
    ],
)
def test_ideas_that_fight_harm_pass(text: str) -> None:
    """Naming a harm in order to fight it, or in passing, knocks nothing out."""
    assert harm.find(text) == []


# Verdict


def made(values: list[int | None]) -> list[vpb.CriterionScore]:
    rows = []
    for criterion, value in zip(criteria.ORDER, values, strict=True):
        row = vpb.CriterionScore(
            criterion=criterion, reason="r.", improvement="" if value == 5 else f"edit {criterion}"
        )
        if value is not None:
            row.score = value
            row.confidence = 0.5
            row.basis.append("words")
        rows.append(row)
    return rows


eight = st.lists(st.one_of(st.none(), st.integers(1, 5)), min_size=8, max_size=8)


@given(eight)
def test_the_verdict_follows_its_rules(values: list[int | None]) -> None:
    """Any scores give one of four verdicts, with reasons; the rules hold at their thresholds."""
    result = verdict.decide(made(values))
    known = [v for v in values if v is not None]
    assert result.reasons
    assert result.would_change or known == [5] * 8
    problem, audience = (criteria.ORDER.index(c) for c in (vpb.CRITERION_PROBLEM, vpb.CRITERION_AUDIENCE))
    if len(known) < verdict.CRITERIA_SCORED_MIN or values[problem] is values[audience] is None:
        assert result.recommendation == vpb.RECOMMENDATION_INCONCLUSIVE
        return
    mean = sum(known) / len(known)
    if min(known) <= 2:
        assert result.score <= 3.0
        assert result.recommendation in (vpb.RECOMMENDATION_PIVOT, vpb.RECOMMENDATION_NO_GO)
    if mean <= 2.0:
        assert result.recommendation == vpb.RECOMMENDATION_NO_GO
    if min(known) > 2 and mean > verdict.PIVOT_MEAN_MAX:
        assert result.recommendation == vpb.RECOMMENDATION_GO


@given(eight, st.integers(0, 7))
def test_a_better_score_never_worsens_the_verdict(values: list[int | None], index: int) -> None:
    """Raising one scored criterion by one never turns GO into PIVOT or PIVOT into NO_GO."""
    if values[index] is None or values[index] == 5:
        return
    rank = {
        vpb.RECOMMENDATION_NO_GO: 0,
        vpb.RECOMMENDATION_INCONCLUSIVE: 1,
        vpb.RECOMMENDATION_PIVOT: 1,
        vpb.RECOMMENDATION_GO: 2,
    }
    better = [*values]
    better[index] = (values[index] or 0) + 1
    assert rank[verdict.decide(made(better)).recommendation] >= rank[verdict.decide(made(values)).recommendation]


@given(eight)
def test_harm_outweighs_every_score(values: list[int | None]) -> None:
    """A harmful act is NO_GO with any scores."""
    result = verdict.decide(made(values), [Harm("malware", "sells ransomware")])
    assert result.recommendation == vpb.RECOMMENDATION_NO_GO


def test_no_criteria_are_inconclusive() -> None:
    """Nothing to judge gives no verdict and the score 0."""
    result = verdict.decide([])
    assert (result.recommendation, result.score) == (vpb.RECOMMENDATION_INCONCLUSIVE, 0.0)


# Duplicates


def stored(text: str, run: str, *, tenant: str = "t", vector: bytes = b"", seconds: float = 0) -> StoredIdea:
    return StoredIdea(tenant, run, text, NOW + timedelta(seconds=seconds), "fake" if vector else "", vector)


def test_exact_means_the_same_letters_and_digits() -> None:
    """Case, punctuation and spacing do not make a new idea; another word does."""
    found = duplicates.find(stored(FOOD, "runs/b"), [stored(f"  {FOOD.upper()} !", "runs/a")])
    assert [(d.exact, d.similarity) for d in found] == [(True, 1.0)]
    assert not duplicates.find(stored(FOOD, "runs/b"), [stored(CLINIC, "runs/a")])


def test_vectors_find_paraphrases_of_the_same_embedder_only() -> None:
    """Alike vectors make a duplicate; vectors of another embedder or length do not count."""
    one = stored("Alpha beta gamma", "runs/b", vector=duplicates.pack((0.6, 0.8), (0.6, 0.8)))
    near = duplicates.pack((0.8, 0.6), (0.6, 0.8))
    same = stored("Delta epsilon zeta", "runs/a", vector=near)
    assert [(d.exact, d.similarity) for d in duplicates.find(one, [same])] == [(False, 0.98)]
    foreign = StoredIdea("t", "runs/a", "Delta epsilon zeta", NOW, "other", near)
    longer = stored("Delta epsilon zeta", "runs/a", vector=duplicates.pack((0.8, 0.6, 0.0), (0.6, 0.8, 0.0)))
    assert not duplicates.find(one, [foreign, longer])


def test_the_same_frame_around_another_core_is_no_duplicate() -> None:
    """Texts that are alike while what they do is not fall below the threshold: both cosines count the same."""
    one = stored("Alpha beta gamma", "runs/b", vector=duplicates.pack((1.0, 0.0), (1.0, 0.0)))
    framed = stored("Delta epsilon zeta", "runs/a", vector=duplicates.pack((0.72, 0.694), (0.28, 0.96)))
    assert not duplicates.find(one, [framed])


def test_a_core_leaves_audience_and_form_out() -> None:
    """The core says what is done; a text that gives none stands for itself."""
    core = duplicates.core_of(read_idea("An app for beekeepers that warns before a hive swarms").profile)
    assert "swarm" in core
    assert "beekeepers" not in core
    assert duplicates.core_of(read_idea("Bees and honey").profile) == "Bees and honey"


def test_thousands_of_earlier_ideas_are_compared_quickly() -> None:
    """Among 5,000 earlier ideas of a tenant the copy is found within a second of processor time."""
    words = "bees boats books bikes bread choirs clinics crops dogs drones farms games hotels kites lamps maps".split()
    vector = duplicates.pack([0.05] * 384, [0.05] * 384)
    earlier = [
        stored(f"A tool for {words[n % 16]} that sorts {words[n // 16 % 16]} number {n}", f"runs/{n}", vector=vector)
        for n in range(4_999)
    ]
    earlier.append(stored(FOOD.upper(), "runs/copy", vector=vector))
    began = time.process_time()
    found = duplicates.find(stored(FOOD, "runs/new"), earlier)
    assert time.process_time() - began < 1.0
    assert [(d.run, d.exact) for d in found] == [("runs/copy", True)]


def test_own_run_and_other_tenants_are_no_duplicates() -> None:
    """The same run under another attempt and a rival's same idea are left out."""
    assert not duplicates.find(stored(FOOD, "runs/a"), [stored(FOOD, "runs/a"), stored(FOOD, "runs/b", tenant="rival")])


# Store: one contract, two implementations


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[IdeaStore]:
    made_store: IdeaStore = MemoryIdeaStore() if request.param == "memory" else SqliteIdeaStore(tmp_path / "v.db")
    await made_store.open()
    yield made_store
    await made_store.close()


async def test_a_run_is_kept_once(store: IdeaStore) -> None:
    """The first idea of a run stays; a retry gets it back."""
    first = await store.remember(stored(FOOD, "runs/a", vector=duplicates.pack((1.0,), (1.0,))))
    again = await store.remember(stored(FOOD, "runs/a", seconds=60))
    assert again == first
    assert first.vector == duplicates.pack((1.0,), (1.0,))
    assert first.seen_at == NOW


async def test_earlier_means_before_this_run_and_of_this_tenant(store: IdeaStore) -> None:
    """Newest first, only what was stored before, only the tenant's own, bounded."""
    for run in ("runs/a", "runs/b", "runs/c"):
        await store.remember(stored(FOOD, run))
    await store.remember(stored(FOOD, "runs/x", tenant="rival"))
    assert [idea.run for idea in await store.earlier(stored(FOOD, "runs/c"))] == ["runs/b", "runs/a"]
    assert [idea.run for idea in await store.earlier(stored(FOOD, "runs/a"))] == []
    assert [idea.run for idea in await store.earlier(stored(FOOD, "runs/c"), limit=1)] == ["runs/b"]
    assert await store.ready()


async def test_a_closed_database_is_unavailable(tmp_path: Path) -> None:
    """Before open and after close the store raises the typed error and is not ready."""
    store = SqliteIdeaStore(tmp_path / "v.db")
    assert not await store.ready()
    with pytest.raises(PipelineError) as caught:
        await store.remember(stored(FOOD, "runs/a"))
    assert caught.value.reason == errors_pb2.ERROR_REASON_STORAGE_UNAVAILABLE


async def test_an_unusable_path_is_unavailable(tmp_path: Path) -> None:
    """A state folder that is a file stops the start with the typed error."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(PipelineError):
        await SqliteIdeaStore(tmp_path / "file" / "v.db").open()
