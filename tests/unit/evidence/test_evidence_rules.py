"""Queries, scores, stances, duplicates, choice and gaps: the rules that decide what an evidence list says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, evidence_pb2
from services.evidence.domain import coverage, scoring, verify
from services.evidence.domain.dedupe import canonical_url, merge_duplicates
from services.evidence.domain.model import Candidate, IdeaFacts
from services.evidence.domain.queries import KINDS, Domain, build_queries, check_claims, read_domains
from services.evidence.domain.select import select
from services.evidence.domain.stance import judge, read_text
from tests.support.evidence_kit import FOOD, NOW, candidate, found, product, query

PB = common_pb2
SUPPORTS, CONTRADICTS, MENTIONS = PB.STANCE_SUPPORTS, PB.STANCE_CONTRADICTS, PB.STANCE_MENTIONS


def claim(slug: str, kind: int, *terms: str) -> common_pb2.Claim:
    return PB.Claim(id=slug, kind=PB.ClaimKind.ValueType(kind), text=f"The {slug} holds.", terms=terms)


# ------------------------------------------------------------------------------------------- queries


def test_default_domains_ask_about_the_claims_they_know() -> None:
    """Every kind of claim is asked about by some default domain, and competition by its own."""
    asked = {kind for kinds in KINDS.values() for kind in kinds}
    assert asked == set(PB.ClaimKind.values()) - {PB.CLAIM_KIND_UNSPECIFIED}
    claims = [claim("competition", PB.CLAIM_KIND_COMPETITION, "food app")]
    queries = build_queries(read_domains([]), claims, IdeaFacts(FOOD))
    assert [(q.domain, q.claim_id, q.terms) for q in queries] == [("competition", "competition", ("food app",))]


def test_a_domain_of_the_callers_own_asks_about_every_claim_with_its_keywords() -> None:
    """Keywords come first, claims keep their words."""
    given = evidence_pb2.ResearchDomain(name="regulation", keywords=["FDA rule"])
    claims = [claim("timing", PB.CLAIM_KIND_TIMING, "labels"), claim("x", 0, "shelf")]
    queries = build_queries(read_domains([given]), claims, IdeaFacts(FOOD))
    assert [q.terms for q in queries] == [("fda rule", "labels"), ("fda rule", "shelf")]
    assert queries[0].keywords == ("FDA rule",)


def test_domain_defaults_are_filled_in() -> None:
    """0 takes the default count and threshold."""
    (domain,) = read_domains([evidence_pb2.ResearchDomain(name="a")])
    assert domain == Domain("a", (), 3, 0.35)


@pytest.mark.parametrize(
    ("fields", "violation"),
    [
        ({"name": "No Slug"}, "domains[0].name"),
        ({"name": ""}, "domains[0].name"),
        ({"name": "a", "quality_threshold": 1.5}, "domains[0].quality_threshold"),
        ({"name": "a", "quality_threshold": float("nan")}, "domains[0].quality_threshold"),
        ({"name": "a", "min_evidence_count": -1}, "domains[0].min_evidence_count"),
        ({"name": "a", "keywords": ["x" * 101]}, "domains[0].keywords"),
        ({"name": "a", "keywords": ["x"] * 21}, "domains[0].keywords"),
    ],
)
def test_a_wrong_domain_is_refused_by_field(fields: dict[str, object], violation: str) -> None:
    """The violation names the field of the domain that cannot be used."""
    with pytest.raises(PipelineError) as refused:
        read_domains([evidence_pb2.ResearchDomain(**fields)])  # type: ignore[arg-type]
    assert violation in [v.field for v in refused.value.violations]


def test_domains_and_claims_are_unique_and_bounded() -> None:
    """Repeats and floods are refused."""
    twice = [evidence_pb2.ResearchDomain(name="a")] * 2
    for domains in (twice, [evidence_pb2.ResearchDomain(name=f"d{n}") for n in range(21)]):
        with pytest.raises(PipelineError):
            read_domains(domains)
    for claims in (
        [claim("a", 1), claim("a", 1)],
        [PB.Claim(id="a", kind=PB.CLAIM_KIND_TIMING)],
        [PB.Claim(id="A b", text="x")],
        [claim(f"c{n}", 1) for n in range(31)],
    ):
        with pytest.raises(PipelineError):
            check_claims(claims)
    check_claims([claim("problem", 1), claim("mechanism-1", 0)])


# ------------------------------------------------------------------------------------------- scoring


def test_the_composite_is_the_documented_sum() -> None:
    """0.4 relevance, 0.4 credibility, 0.2 freshness."""
    scored = candidate(relevance=0.5, credibility=0.25, freshness=1.0)
    assert scoring.composite(scored) == pytest.approx(0.4 * 0.5 + 0.4 * 0.25 + 0.2)


def test_the_founders_own_words_are_trusted_least() -> None:
    """No other kind of source ranks below a document that the founder gave."""
    kinds = [k for k in PB.SourceType.values() if k != PB.SOURCE_TYPE_UNSPECIFIED]
    least = {k: scoring.credibility(found(source_type=k, confidence=0.0)) for k in kinds}
    assert min(least, key=lambda k: least[k]) == PB.SOURCE_TYPE_USER_DOCUMENT
    best_own = scoring.credibility(found(source_type=PB.SOURCE_TYPE_USER_DOCUMENT, confidence=1.0))
    assert all(best_own <= value for k, value in least.items() if k != PB.SOURCE_TYPE_USER_DOCUMENT)


def test_votes_and_confidence_raise_credibility_within_its_bounds() -> None:
    """A post with many votes counts more than one without, never more than its kind allows."""
    plain, voted = scoring.credibility(found(confidence=0.2)), scoring.credibility(found(confidence=0.2, votes=10**6))
    assert plain < voted <= scoring.CREDIBILITY[PB.SOURCE_TYPE_COMMUNITY][1]


def test_freshness_halves_with_each_half_life() -> None:
    """A post of its half-life is worth half; a future date counts as now; no date is said to be old."""
    half = timedelta(days=scoring.HALF_LIFE_DAYS[PB.SOURCE_TYPE_COMMUNITY])
    assert scoring.freshness(found(published_at=NOW - half), NOW) == pytest.approx(0.5)
    assert scoring.freshness(found(published_at=NOW + half), NOW) == 1.0
    assert scoring.freshness(found(), NOW) == scoring.FRESHNESS_UNDATED
    assert scoring.freshness(found(year=2026), NOW) > scoring.freshness(found(year=2014), NOW) > 0


def test_relevance_fuses_words_and_meaning() -> None:
    """A passage with the claim's words beats one without; meaning decides more where it is known."""
    near, far = candidate(found("Expiry dates and food waste")), candidate(found("The weather is fine"))
    terms = ("food waste", "expiry dates")
    assert scoring.relevance(near, terms, None) > 0.8 > scoring.relevance(far, terms, None) == 0.0
    assert scoring.relevance(far, terms, 0.6) > scoring.relevance(far, terms, 0.1) > scoring.relevance(far, terms, -0.1)


def test_a_known_fit_is_believed() -> None:
    """Where the provider knows the fit, words do not change it."""
    assert scoring.relevance(candidate(found("x", fit=0.7)), ("y",), 0.0) == 0.7


def test_ids_depend_on_address_and_quote_only() -> None:
    """The same find has the same id in every run; anything else has another."""
    assert scoring.item_id("u", "q") == scoring.item_id("u", "q")
    assert len({scoring.item_id("u", "q"), scoring.item_id("u", "p"), scoring.item_id("v", "q")}) == 3
    assert scoring.item_id("u", "q").startswith("ev-")
    assert len(scoring.item_id("u", "q")) == 15


@pytest.mark.parametrize(
    ("quote", "value", "expected"),
    [
        ("GitHub stars: 13,039.", 13_039, True),
        ("about 4.8K stars", 4_800, True),
        ("churn of 6.8%", 6.8, True),
        ("$1,000,000,000 or more", 1e9, True),
        ("a market of 2 billion", 2e9, True),
        ("GitHub stars: 13,039.", 13, False),
        ("no number at all", 0, False),
    ],
)
def test_a_figure_is_verified_by_its_number_in_the_quote(quote: str, value: float, expected: bool) -> None:
    """A number that is not in the quote verifies nothing."""
    source = found(quote, figure=PB.Figure(metric="m", value=value))
    assert (verify.unverified_reason(candidate(source)) == "") is expected


def test_a_quote_outside_the_text_is_not_verified() -> None:
    """Offsets must lie in the text."""
    assert verify.unverified_reason(candidate()) == ""
    assert "stand in the text" in verify.unverified_reason(Candidate(found("abc"), query(), 1, 9))


# ------------------------------------------------------------------------------------------- stances


def judged(source: object, kind: int, relevance: float = 0.9) -> tuple[int, float]:
    verdict = judge(candidate(source, query(kind), relevance=relevance))  # type: ignore[arg-type]
    return verdict.stance, verdict.confidence


def test_an_existing_product_contradicts_an_open_field_and_supports_the_rest_modestly() -> None:
    """One fact, read per claim."""
    grocy = product(rivals=("Paprika",))
    assert judged(grocy, PB.CLAIM_KIND_COMPETITION)[0] == CONTRADICTS
    for kind in (PB.CLAIM_KIND_PROBLEM, PB.CLAIM_KIND_FEASIBILITY, PB.CLAIM_KIND_WILLINGNESS_TO_PAY):
        stance, confidence = judged(grocy, kind)
        assert stance == SUPPORTS
        assert confidence <= 0.7


def test_more_stars_make_a_rival_more_certain() -> None:
    """Adoption counts."""
    many = judged(product(stars=50_000), PB.CLAIM_KIND_COMPETITION)[1]
    few = judged(product(stars=50), PB.CLAIM_KIND_COMPETITION)[1]
    assert many > few


def test_a_neighbour_is_no_rival() -> None:
    """A product that fits too little is only mentioned, and an unknown one shows no demand."""
    assert judged(product(), PB.CLAIM_KIND_COMPETITION, relevance=0.5)[0] == MENTIONS
    assert judged(product(stars=12), PB.CLAIM_KIND_PROBLEM)[0] == MENTIONS
    assert judged(product(), PB.CLAIM_KIND_WILLINGNESS_TO_PAY)[0] == MENTIONS


@pytest.mark.parametrize(
    ("value", "baseline", "more_is_better", "stance"),
    [
        (13.14, 8.18, True, SUPPORTS),
        (2.64, 8.18, True, CONTRADICTS),
        (6.8, 1.9, False, CONTRADICTS),
        (8.05, 8.18, True, MENTIONS),
        (2.64, 8.18, None, MENTIONS),
        (2.64, 0.0, True, MENTIONS),
    ],
)
def test_a_figure_is_read_against_its_baseline(
    value: float, baseline: float, more_is_better: bool | None, stance: int
) -> None:
    """Better supports, worse contradicts, near or without direction mentions."""
    source = found(
        figure=PB.Figure(metric="m", value=value),
        baseline=PB.Figure(metric="m", segment="all industries", value=baseline),
        more_is_better=more_is_better,
    )
    assert judged(source, PB.CLAIM_KIND_AUDIENCE)[0] == stance


@pytest.mark.parametrize(
    ("kind", "text", "stance"),
    [
        (PB.CLAIM_KIND_PROBLEM, "It is so frustrating, we waste food every week.", SUPPORTS),
        (PB.CLAIM_KIND_PROBLEM, "This is not a problem for us, the fridge works fine.", CONTRADICTS),
        (PB.CLAIM_KIND_PROBLEM, "No-shows are frustrating for every clinic.", SUPPORTS),
        (PB.CLAIM_KIND_PROBLEM, "The fridge is blue and stands in the kitchen.", MENTIONS),
        (PB.CLAIM_KIND_WILLINGNESS_TO_PAY, "I would pay ten dollars for that.", SUPPORTS),
        (PB.CLAIM_KIND_WILLINGNESS_TO_PAY, "Nice, but I wouldn't pay for it.", CONTRADICTS),
        (PB.CLAIM_KIND_WILLINGNESS_TO_PAY, "It is too expensive and I cancelled.", CONTRADICTS),
        (PB.CLAIM_KIND_COMPETITION, "I couldn't find any tool, so we still use spreadsheets.", SUPPORTS),
        (PB.CLAIM_KIND_COMPETITION, "There are already plenty of competitors.", CONTRADICTS),
        (PB.CLAIM_KIND_TIMING, "Interest is growing and new regulations mandate it.", SUPPORTS),
        (PB.CLAIM_KIND_TIMING, "The trend is dead and sales are declining.", CONTRADICTS),
        (PB.CLAIM_KIND_FEASIBILITY, "Too many false positives, it is unreliable.", CONTRADICTS),
        (PB.CLAIM_KIND_MARKET_SIZE, "A niche with a shrinking market.", CONTRADICTS),
        (PB.CLAIM_KIND_AUDIENCE, "I would love this, I am looking for it.", SUPPORTS),
    ],
)
def test_a_text_is_read_by_its_cues(kind: int, text: str, stance: int) -> None:
    """Words of complaint, of money, of rivals and of change, turned around by negation."""
    assert read_text(text, PB.ClaimKind.ValueType(kind), 0.8).stance == stance


def test_a_negation_turns_a_cue_around() -> None:
    """ "not growing" is no growth."""
    verdict = read_text("The field is not really growing.", PB.CLAIM_KIND_TIMING, 0.9)
    assert verdict.stance == CONTRADICTS


def test_what_is_not_about_the_claim_takes_no_side() -> None:
    """Cues count only in a relevant passage."""
    assert read_text("How frustrating, how annoying!", PB.CLAIM_KIND_PROBLEM, 0.2).stance == MENTIONS


# ------------------------------------------------------------------------------- duplicates and choice


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("https://www.Example.org/a/?utm_source=x&b=1#top", "https://example.org/a?b=1"),
        ("document:notes.md", "document:notes.md"),
        ("https://news.ycombinator.com/item?id=1", "https://news.ycombinator.com/item?id=1"),
    ],
)
def test_addresses_are_compared_without_what_does_not_matter(url: str, canonical: str) -> None:
    """Trackers, fragments and the slash at the end change no page."""
    assert canonical_url(url) == canonical


LONG = "Every week we throw away a whole bag of vegetables because nobody looks at the dates on them in time"


def test_near_duplicates_are_merged_with_their_addresses() -> None:
    """The better one stays and names the other's address once."""
    copies = [
        candidate(found(LONG, url=f"https://{n}.example"), composite=score)
        for n, score in (("a", 0.5), ("b", 0.9), ("b", 0.9))
    ]
    copies.append(candidate(found(LONG + " anyway", url="https://a.example/x"), composite=0.4))
    (kept,) = merge_duplicates(copies)
    assert kept.found.url == "https://b.example"
    assert kept.merged_urls == ["https://a.example", "https://a.example/x"]


def test_different_statements_stay_apart() -> None:
    """Two products, two figures, two claims are not one."""
    two_products = [candidate(product(n), composite=0.5) for n in ("one", "two")]
    assert len(merge_duplicates(two_products)) == 2
    same_figure = [
        candidate(found(f"6.8 as {n} says", url=f"https://{n}.example", figure=PB.Figure(metric="m", value=6.8)))
        for n in ("a", "b")
    ]
    assert len(merge_duplicates(same_figure)) == 1
    two_claims = [candidate(found(LONG)), candidate(found(LONG, url="https://b.example"), query(claim_id="audience"))]
    assert len(merge_duplicates(two_claims)) == 2


def test_the_same_quote_of_the_same_page_has_one_place() -> None:
    """An id is unique: the find stays with the claim that it takes sides on, else where it scores best."""
    both = [
        candidate(found(LONG), query(claim_id="audience"), composite=0.8),
        candidate(found(LONG), query(claim_id="problem"), composite=0.6),
    ]
    assert [c.query.claim_id for c in merge_duplicates(both)] == ["audience"]
    sides = candidate(found(LONG), query(claim_id="timing"), composite=0.75, stance=CONTRADICTS, stance_confidence=0.8)
    assert [c.query.claim_id for c in merge_duplicates([*both, sides])] == ["timing"]


def test_the_result_does_not_depend_on_who_answered_first() -> None:
    """Any order of arrival gives the same list."""
    some = [
        candidate(found(f"{LONG} {n}" if n % 2 else f"quite another thing {n}", url=f"https://{n}.example"),
                  composite=0.5 + n % 3 / 10)
        for n in range(8)
    ]  # fmt: skip
    order = [c.found.url for c in select(merge_duplicates([replace(c, merged_urls=[]) for c in some]))]
    back = [c.found.url for c in select(merge_duplicates([replace(c, merged_urls=[]) for c in some[::-1]]))]
    assert order == back


def test_the_best_contradiction_stays_whatever_the_majority_says() -> None:
    """Eight good supports do not push the only contradiction out."""
    texts = ["alpha beta gamma", "delta epsilon zeta", "eta theta iota", "kappa lamda mu", "nu xi omicron"]
    crowd = [
        candidate(found(t, url=f"https://{n}.example"), composite=0.9 - n / 100, stance=SUPPORTS)
        for n, t in enumerate(texts)
    ]
    alone = candidate(found("rho sigma tau", url="https://no.example"), composite=0.4, stance=CONTRADICTS)
    chosen = select([*crowd, alone], per_claim=3)
    assert alone in chosen
    assert len(chosen) == 3
    assert chosen == sorted(chosen, key=lambda c: -c.composite)


def own_passage(relevance: float, composite: float = 0.4, text: str = "Nine of ten clinics told us so") -> Candidate:
    """A passage of the founder's own document."""
    source = found(text, url="document:notes.md", provider="documents", source_type=PB.SOURCE_TYPE_USER_DOCUMENT)
    return candidate(source, relevance=relevance, composite=composite)


def test_what_the_founder_gave_is_heard_beside_the_web_and_never_outranks_it() -> None:
    """A full house of better web finds leaves a place, the last, to the best passage of the founder's documents."""
    crowd = [
        candidate(found(f"alpha{n} beta{n} gamma{n}", url=f"https://{n}.example"), composite=0.9 - n / 100)
        for n in range(9)
    ]
    best, other = own_passage(0.8, 0.45), own_passage(0.7, 0.42, "They keep lists on paper")
    chosen = select([*crowd, other, best])
    assert len(chosen) == 8
    assert chosen[-1] is best
    assert other not in chosen


def test_a_document_that_is_not_about_the_claim_takes_no_place() -> None:
    """The place is for what speaks about the claim; other passages compete like everything else."""
    crowd = [
        candidate(found(f"alpha{n} beta{n} gamma{n}", url=f"https://{n}.example"), composite=0.9 - n / 100)
        for n in range(9)
    ]
    assert own_passage(scoring.ABOUT_MIN - 0.01) not in select([*crowd, own_passage(scoring.ABOUT_MIN - 0.01)])


def test_choice_prefers_what_is_different() -> None:
    """Of two nearly equal finds, the one that repeats less comes in."""
    first = candidate(found(LONG, url="https://a.example"), composite=0.8)
    same = candidate(found(LONG + " now", url="https://b.example"), composite=0.79)
    other = candidate(found("Shops print dates too small to read", url="https://c.example", provider="x"),
                      composite=0.75)  # fmt: skip
    assert select([first, same, other], per_claim=2) == [first, other]


# --------------------------------------------------------------------------------------------- gaps


def test_a_claim_without_evidence_is_named_with_a_next_step() -> None:
    """Base rates do not cover a claim."""
    claims = [claim("problem", PB.CLAIM_KIND_PROBLEM), claim("timing", PB.CLAIM_KIND_TIMING), claim("own", 0)]
    items = [
        PB.EvidenceItem(claim_id="problem", relevance=0.8),
        PB.EvidenceItem(claim_id="timing", relevance=0.5),
    ]
    missing = coverage.uncovered_claims(claims, items, ["hackernews"])
    assert [m.subject for m in missing] == ["timing", "own"]
    assert all(m.next_step and m.kind == PB.MISSING_KIND_NO_COVERAGE for m in missing)
    assert "base rates" in missing[0].reason
    assert "hackernews" in missing[0].reason


def test_a_domain_below_its_count_is_a_shortfall() -> None:
    """The count asked for and the count found are both said."""
    (missing,) = coverage.shortfalls([Domain("a"), Domain("b", min_evidence_count=1)], {"a": 2, "b": 1})
    assert (missing.subject, missing.kind) == ("a", PB.MISSING_KIND_SHORTFALL)
    assert "2 of 3" in missing.reason


def test_an_empty_directory_is_no_proof_of_an_open_field() -> None:
    """The gap is named only when the directory was asked and knew nothing."""
    assert len(coverage.no_products(True, 0)) == 1
    assert coverage.no_products(True, 2) == coverage.no_products(False, 0) == []


@pytest.mark.parametrize(
    ("quote", "stance"),
    [
        ("This overview describes how wasting food in households is handled today.", common_pb2.STANCE_MENTIONS),
        ("Households waste a third of the food that they buy.", common_pb2.STANCE_SUPPORTS),
        ("We waste food and hate it.", common_pb2.STANCE_SUPPORTS),
        ("Wasting food is frustrating.", common_pb2.STANCE_SUPPORTS),
    ],
)
def test_the_claims_own_subject_is_no_word_for_it(quote: str, stance: int) -> None:
    """ "Wasting food" names what the claim is about; an amount, an experience or another word makes it a statement."""
    judged = read_text(quote, common_pb2.CLAIM_KIND_PROBLEM, 0.8, ("wasting food", "households", "expiry dates"))
    assert judged.stance == stance


def test_no_single_index_speaks_for_the_world() -> None:
    """Of one provider at most four are shown for a claim while another has something to say."""
    papers = [
        candidate(found(f"Paper {n} on a matter of its own: {chr(97 + n) * 9}.", provider="papers"), composite=0.9)
        for n in range(9)
    ]
    posts = [candidate(found(f"Post {n} tells {chr(109 + n) * 7}.", provider="posts"), composite=0.4) for n in range(3)]
    for number, one in enumerate([*papers, *posts]):
        one.found = replace(one.found, url=f"https://{number}.example")
    chosen = [c.found.provider for c in select([*papers, *posts])]
    assert chosen.count("posts") == 3
    assert chosen.count("papers") == 5  # the fourth post does not exist
    assert len(select(papers)) == 8
