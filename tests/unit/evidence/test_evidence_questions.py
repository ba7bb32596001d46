"""What a founder's idea becomes as questions: words that stand together in a hit, and only where they may stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.idea.reading import read_idea
from pipeline.v1 import common_pb2
from services.evidence.domain.model import IdeaFacts, Query
from services.evidence.domain.queries import build_queries, read_domains
from services.evidence.domain.technical import rests_on_a_technique
from services.evidence.domain.words import is_generic, stem
from services.evidence.providers.base import Access
from services.evidence.providers.gdelt import news_words
from services.evidence.providers.hackernews import search_words
from services.evidence.providers.questions import phrases, plain_words, whole_words
from services.evidence.providers.registry import SOURCES
from services.evidence.providers.sec import full_text
from services.evidence.providers.web_search import needs_key
from services.evidence.providers.wikidata import names as labels
from tests.support.evidence_kit import query

SCHEDULING = "A scheduling tool for small clinics that reduces no-shows"
FALLS = "A wearable that detects falls of elderly people living alone and alerts their family"


def asks(idea: str) -> dict[int, Query]:
    """The queries of an idea by their kind of claim, as the service makes them."""
    reading = read_idea(idea)
    about = reading.profile
    facts = IdeaFacts(idea, tuple(about.keywords), about.category, customer_type=about.customer_type)
    return {asked.kind: asked for asked in build_queries(read_domains([]), reading.claims, facts)}


def terms(*given: str, idea: str = "x", **fields: tuple[str, ...]) -> Query:
    """A question with these terms about an idea that has no words of its own."""
    return query(terms=given, idea=IdeaFacts(idea), **fields)


def test_the_kind_of_claim_is_no_word_of_the_field() -> None:
    """Where every word must stand in the hit, "market size" would leave nothing over."""
    asked = terms("food waste market size", "food waste software", "households")
    assert plain_words(asked, 3) == whole_words(asked, 3) == ["food", "waste", "households"]
    assert phrases(asked, 3) == ["food waste", "households"]


def test_the_founders_own_subject_stays() -> None:
    """An idea about pricing is searched for with that word, and so is what the caller asked to look for."""
    assert whole_words(terms("hotel pricing", idea="It sets the pricing of hotels"), 3) == ["hotel", "pricing"]
    assert whole_words(terms("hotel pricing", keywords=("pricing",)), 3) == ["hotel", "pricing"]


def test_what_an_idea_says_in_passing_is_no_subject() -> None:
    """ "Software for mid-size companies" is neither about software nor about size; its field is not its category."""
    idea = IdeaFacts("Software that sorts mail for mid-size companies", category="retail")
    asked = query(terms=("mail sorting market size", "mail software", "retail", "letters"), idea=idea)
    assert plain_words(asked, 5) == ["mail", "sorting", "letters"]


def test_both_halves_of_a_compound_are_asked() -> None:
    """ "Shows" are another subject than "no-shows"."""
    assert plain_words(terms("no-shows", "clinics"), 3) == ["no", "shows", "clinics"]
    assert whole_words(terms("no-shows", "clinics"), 3) == ["no-shows", "clinics"]
    assert phrases(terms("no-shows", "small clinics"), 2) == ["no shows", "clinics"]


def test_half_a_name_waits_for_whole_ones() -> None:
    """ "Pull" is not what pull requests are about; with room left over it is better than nothing."""
    assert plain_words(terms("python developers", "pull requests", "reviews"), 3) == ["python", "developers", "reviews"]
    assert plain_words(terms("python developers", "pull requests"), 3) == ["python", "developers", "pull"]


@pytest.mark.parametrize(
    ("term", "phrase"),
    [
        ("planning meals from what is in the fridge", "planning meals"),
        ("solar-powered cold storage", "cold storage"),
        ("box of eco-friendly toys", "eco friendly toys"),
        ("smart home", "smart home"),
    ],
)
def test_a_phrase_is_as_long_as_it_is_said(term: str, phrase: str) -> None:
    """A whole clause stands in quotes nowhere."""
    assert phrases(terms(term), 1) == [phrase]


def test_a_rival_is_looked_up_by_a_name_of_its_own() -> None:
    """ "Farmer" begins the names of insurers, so that it comes last; for an audience it is the right label."""
    rivals = query(common_pb2.CLAIM_KIND_COMPETITION, terms=("farmer", "cold storage"), idea=IdeaFacts("x"))
    people = query(common_pb2.CLAIM_KIND_AUDIENCE, terms=("farmer", "cold storage"), idea=IdeaFacts("x"))
    assert labels(rivals) == ["cold storage", "farmer"]
    assert labels(people) == ["farmer", "cold storage"]


def test_a_filing_is_not_searched_for_one_word() -> None:
    """Any annual report holds "families"; a phrase goes first."""
    assert full_text(terms("families")) == ""
    assert full_text(terms("falls", "elderly persons")) == '"elderly persons" falls'
    assert full_text(terms("online shops", "shop", "seaweed")) == '"online shops" seaweed'


@given(st.lists(st.text(max_size=60), max_size=6), st.integers(1, 7))
def test_no_term_passes_what_an_engine_obeys(given_terms: list[str], most: int) -> None:
    """Letters and digits only, no more than asked for, something telling among them or nothing."""
    asked = terms(*given_terms)
    words = plain_words(asked, most)
    assert len(words) <= most
    assert all(word.replace("'", "").replace("’", "").isalnum() for word in words)
    for name in [*([" ".join(words)] if words else []), *phrases(asked, most)]:
        assert not all(is_generic(stem(word)) for word in name.split())


def test_a_clinics_idea_is_asked_about_where_people_speak_of_it() -> None:
    """No source is asked about "market size" or "shows", and none that knows only software or techniques."""
    asked = asks(SCHEDULING)
    assert search_words(asked[common_pb2.CLAIM_KIND_PROBLEM]) == "no-shows clinics appointment"
    assert search_words(asked[common_pb2.CLAIM_KIND_MARKET_SIZE]) == "no-show clinics appointment"
    assert news_words(asked[common_pb2.CLAIM_KIND_TIMING]) == '"no show" appointment'
    assert full_text(asked[common_pb2.CLAIM_KIND_COMPETITION]) == '"no show" "appointment scheduling"'
    assert {"wikipedia", "openalex", "crossref", "worldbank", "hackernews", "gdelt", "sec"} <= asked_sources(SCHEDULING)
    assert not {"arxiv", "npm", "pypistats", "stackexchange"} & asked_sources(SCHEDULING)


def test_preprints_are_asked_where_a_technique_decides() -> None:
    """A fall detector is a question of sensors, a subscription box is not."""
    assert "arxiv" in asked_sources(FALLS)
    for idea in (
        "A box of toys for toddlers",
        "A course for learning French",
        "A founder with a vision",
        "A town café",
    ):
        assert not rests_on_a_technique(IdeaFacts(idea))
    for idea in ("Machine learning that sorts waste", "A computer vision kit", "An SDK for webhooks", "Crop drones"):
        assert rests_on_a_technique(IdeaFacts(idea))


def asked_sources(idea: str) -> set[str]:
    """The sources that cover one of the idea's claims."""
    pool: object = None
    made = {source.name: source.make(pool, Access("http://x", "key")) for source in SOURCES}  # type: ignore[arg-type]
    return {name for name, provider in made.items() if any(map(provider.covers, asks(idea).values()))}


def test_a_search_that_needs_a_key_says_which() -> None:
    """The setting's name, and nothing where it is set."""
    assert needs_key("PIPELINE_BRAVE_KEY")(Access("http://x")) == "PIPELINE_BRAVE_KEY is empty"
    assert needs_key("PIPELINE_BRAVE_KEY")(Access("http://x", "key")) == ""
