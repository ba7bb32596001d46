"""Ideas as founders type them: the complaint first, an analogy, a fragment, a question, a family member."""

from __future__ import annotations

import pytest

from chassis.idea import sentences
from chassis.idea.reading import read_idea
from chassis.idea.text import normalise
from pipeline.v1 import common_pb2 as pb


def profile_of(text: str) -> pb.IdeaProfile:
    return read_idea(normalise(text)).profile


@pytest.mark.parametrize(
    ("text", "who", "problem"),
    [
        ("Hotels in small towns lose guests to the chains. We pool their bookings.", "hotels", "losing guests"),
        ("Tattooists who work alone spend Sundays on messages, so we built an inbox.", "tattooists", "messages"),
        ("Every driving school repeats the same theory lesson. A film library, one login, done.", "driving", "repeat"),
        ("Why do campsites still keep bookings in a paper book? We move them online.", "campsites", "paper book"),
        ("Customs forms are a nightmare for small toy importers, we fill them in.", "small toy importers", "customs"),
    ],
)
def test_what_comes_before_the_products_sentence_is_the_problem(text: str, who: str, problem: str) -> None:
    """A sentence about people in front of "we ..." or of a bare thing says why; they are the audience."""
    profile = profile_of(text)
    assert any(who in audience for audience in profile.audiences)
    assert problem in profile.problem
    assert "problem" not in profile.inferred_fields


def test_a_complaint_lends_the_product_no_feature() -> None:
    """What happens to cyclists is no work of the product."""
    profile = profile_of("Cyclists get hit at crossings; a cheap sensor on the lorry beeps.")
    assert all("hit" not in feature.title.lower().split()[:2] for feature in profile.features)


def test_a_product_told_first_leaves_no_sentence_as_its_reason() -> None:
    """What follows a product's own sentence is more of the product."""
    _, causes = sentences.split("PantryPal is an app that tracks food. Users scan receipts. We send reminders.")
    assert not causes


@pytest.mark.parametrize(
    ("text", "audiences"),
    [
        ("i want that my granny can call us with one button", ["grannies"]),
        ("an app to share the garden fairly between neighbours", ["neighbours"]),
        ("A browser extension that keeps teachers from sending mails to the wrong class", ["teachers"]),
        ("We translate discharge letters and explain them to the patient.", ["patients"]),
        ("A map for councillors showing where streetlights fail", ["councillors"]),
        ("Connecting care homes and au pairs", ["care homes", "au pairs"]),
        ("Posters made from old maps, bought by history teachers", ["history teachers"]),
    ],
)
def test_people_are_found_wherever_the_sentence_puts_them(text: str, audiences: list[str]) -> None:
    """As kin, between, kept from something, told something, or as a pair of words."""
    assert list(profile_of(text).audiences) == audiences


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("Tinder but for choir singers", "choir singers"),
        ("It is like Strava, but for rowers", "rowers"),
        ("the netflix of crochet for pensioners", "pensioners"),
    ],
)
def test_a_known_company_stands_for_what_it_does(text: str, who: str) -> None:
    """ "Tinder but for ...", "like Strava, but for ...", "the Netflix of X for Y"; no name is coined from it."""
    profile = profile_of(text)
    assert list(profile.audiences) == [who]
    assert not any(name.lower().startswith(("tinder", "strava", "netflix")) for name in profile.names)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("Shift planning for food banks", "finance"),
        ("A weather alarm for plant nurseries", "children"),
        ("Make tax returns painless for nannies", "physical safety of users"),
        ("Marketplace for leftover fabric", "food safety"),
    ],
)
def test_false_friends_touch_no_law(text: str, field: str) -> None:
    """A food bank holds no money, a plant nursery no children."""
    assert field not in [found.field for found in profile_of(text).regulated_fields]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("I want to build a tool so that nurses stop losing time on handovers", "keep losing time on handovers"),
        ("Subscription box of craft coffee for offices", "a way to get craft coffee"),
        ("My idea: renting out unused parking spots to commuters", "find it hard to find unused parking spots"),
        ("Compliance paperwork is killing small breweries. We automate it.", "automate compliance paperwork"),
    ],
)
def test_claims_read_true(text: str, said: str) -> None:
    """Losses are kept, offers are got, what is rented out is found, and "it" has its name."""
    reading = read_idea(normalise(text))
    assert any(said in claim.text for claim in reading.claims)


def test_a_clause_is_no_product() -> None:
    """No claim speaks of "a we do it in one click"."""
    reading = read_idea(normalise("Importing wine is a nightmare for small bars, we do it in one click."))
    assert all("a we" not in claim.text for claim in reading.claims)


def test_what_people_look_for_is_found_and_is_no_thing() -> None:
    """ "who look for training partners": finding them is the job; "looks" are nothing to store or to be called by."""
    profile = read_idea("An app for runners who look for training partners at their pace").profile
    assert [f.title for f in profile.features] == ["Find training partners at their pace"]
    assert not any("look" in text.lower() for text in (*profile.names, *profile.keywords, *profile.entities))


def test_what_a_thing_has_and_for_whom_are_told_apart() -> None:
    """ "with fall detection for people living alone": falls are detected, and those people are the audience."""
    profile = read_idea("A wearable with fall detection for people living alone").profile
    assert [f.title for f in profile.features] == ["Detect falls"]
    assert list(profile.audiences) == ["people living alone"]
    assert "alone" not in (*profile.keywords, *profile.entities)


def test_parents_are_spoken_to_where_children_learn() -> None:
    """A reading tutor for children is bought by parents; "aloud" is how they read, and no thing."""
    profile = read_idea("A reading tutor app that listens to children read aloud").profile
    assert list(profile.audiences) == ["parents"]
    assert not {"aloud", "alouds"} & {*profile.keywords, *profile.entities}


def test_them_are_those_just_spoken_of() -> None:
    """ "listens to children read aloud and helps them": children are helped, not customers."""
    profile = read_idea(
        "An AI tutor that listens to children read aloud and helps them with the words they meet"
    ).profile
    assert [f.title for f in profile.features][1] == "Help children with the words they meet"
    assert "customers" not in profile.problem
