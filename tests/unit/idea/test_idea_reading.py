"""What is read from ideas in many wordings; the table is the specification of the reader."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from chassis.idea.categories import CATEGORIES
from chassis.idea.claims import CLAIM_IDS
from chassis.idea.reading import read_idea
from chassis.idea.text import normalise
from pipeline.v1 import common_pb2 as pb

SHARED = Path(__file__).resolve().parents[3].parent / "shared"

FOOD = "A mobile app that helps households waste less food by tracking expiry dates and suggesting recipes"
CLINIC = "A scheduling tool for small clinics that reduces no-shows with automatic reminders and waitlist filling"
INVOICE = "A B2B tool that detects fraudulent invoices before finance teams pay them"
TUTOR = "A marketplace that matches high school students with vetted tutors for online lessons"
DRONE = "A drone service that scans farm fields and tells growers where to irrigate and spray"
PLATFORM = "AI-powered startup idea validation platform"
REFERENCE = (FOOD, CLINIC, INVOICE, TUTOR, DRONE, PLATFORM)


class Expected(NamedTuple):
    """What a text must be read as; an empty field is not looked at."""

    text: str
    audiences: tuple[str, ...] = ()
    problem: str = ""
    features: tuple[str, ...] = ()
    category: str = ""
    customer: int = 0
    form: int = 0
    entities: tuple[str, ...] = ()
    regulated: tuple[str, ...] = ()


B2B, B2C, MARKET = pb.CUSTOMER_TYPE_B2B, pb.CUSTOMER_TYPE_B2C, pb.CUSTOMER_TYPE_MARKETPLACE
WEB, MOBILE, PLACE = pb.PRODUCT_FORM_WEB_APP, pb.PRODUCT_FORM_MOBILE_APP, pb.PRODUCT_FORM_MARKETPLACE

TABLE = (
    Expected(
        FOOD,
        ("households",),
        "wasting food",
        ("Track expiry dates", "Suggest recipes"),
        "food",
        B2C,
        MOBILE,
        ("recipe", "pantry item", "household"),
        ("food safety",),
    ),
    Expected(
        CLINIC,
        ("small clinics",),
        "no-shows",
        ("Send automatic reminders", "Fill open slots from the waitlist"),
        "health",
        B2B,
        WEB,
        ("appointment", "patient", "reminder", "waitlist entry", "clinic"),
        ("health",),
    ),
    Expected(
        INVOICE,
        ("finance teams",),
        "fraudulent invoices",
        ("Detect fraudulent invoices", "Alert finance teams before they pay"),
        "fintech",
        B2B,
        WEB,
        ("invoice", "supplier"),
        ("finance",),
    ),
    Expected(
        TUTOR,
        ("high school students", "tutors"),
        "finding vetted tutors for online lessons",
        ("Match high school students with vetted tutors", "Book online lessons", "Vet tutors"),
        "education",
        MARKET,
        PLACE,
        ("student", "tutor", "lesson"),
        ("children",),
    ),
    Expected(
        DRONE,
        ("growers",),
        "not knowing where to irrigate and spray",
        ("Scan farm fields", "Tell growers where to irrigate and spray"),
        "agriculture",
        B2B,
        pb.PRODUCT_FORM_SERVICE,
        ("field", "farm", "grower"),
        ("aviation", "pesticides"),
    ),
    Expected(
        PLATFORM,
        ("startup founders",),
        "validating startup ideas",
        ("Validate startup ideas",),
        "startup-tools",
        B2B,
        WEB,
        ("startup idea",),
    ),
    # Our own wordings: other sentence shapes than the reference ideas.
    Expected(
        "We help freelancers send invoices and chase late payments automatically",
        ("freelancers",),
        "late payments",
        ("Send invoices", "Chase late payments automatically"),
        "fintech",
        0,
        0,
        ("invoice",),
    ),
    Expected(
        "An app for parents who want to limit screen time without fighting",
        ("parents",),
        "fighting",
        ("Limit screen time",),
        "childcare",
        B2C,
        MOBILE,
        ("child",),
    ),
    Expected(
        "Platform connecting dog owners with sitters nearby",
        ("dog owners", "sitters"),
        "finding sitters",
        (),
        "pets",
        MARKET,
        WEB,
        ("pet",),
    ),
    Expected(
        "Online marketplace where home bakers can sell cakes to neighbours",
        ("home bakers", "neighbours"),
        "",
        ("Sell cakes to neighbours",),
        "food",
        MARKET,
        PLACE,
        ("cake",),
    ),
    Expected(
        "PantryPal is an app that lets flatmates share groceries and split the bill",
        ("flatmates",),
        "",
        ("Share groceries", "Split the bill"),
        "food",
        B2C,
        MOBILE,
    ),
    Expected(
        "Finding a babysitter at short notice is hard. Our app shows vetted babysitters nearby and lets parents book "
        "them in two taps.",
        ("babysitters", "parents"),
        "finding a babysitter at short notice being hard",
        ("Show vetted babysitters nearby",),
        "childcare",
        0,
        MOBILE,
        ("babysitter",),
        ("children",),
    ),
    Expected(
        "A SaaS for landlords to screen tenants, collect rent and track repairs",
        ("landlords",),
        "",
        ("Screen tenants", "Collect rent", "Track repairs"),
        "real-estate",
        B2B,
        WEB,
        ("tenant",),
        ("housing",),
    ),
    Expected("Uber for lawn mowing", (), "", ("Book lawn mowing on demand",), "real-estate", MARKET, PLACE),
    Expected(
        "Clinic scheduling tool",
        ("clinics",),
        "",
        ("Schedule appointments",),
        "health",
        B2B,
        WEB,
        ("appointment", "patient"),
    ),
    Expected(
        "Invoice fraud detector for finance teams",
        ("finance teams",),
        "invoice fraud",
        ("Detect invoice fraud",),
        "fintech",
        B2B,
    ),
    Expected(
        "Problem: restaurants throw away food every night. Solution: an app that sells surplus meals at a discount "
        "to students nearby.",
        ("restaurants", "students"),
        "restaurants throwing away food every night",
        (),
        "food",
        MARKET,
        MOBILE,
    ),
    Expected(
        "Software that predicts machine failures in small factories so that maintenance teams never lose production "
        "time",
        ("maintenance teams",),
        "losing production time",
        ("Predict machine failures in small factories",),
        "manufacturing",
        B2B,
        WEB,
        ("machine",),
    ),
    Expected("Uber for dog walkers", ("pet owners",), "", ("Book dog walkers on demand",), "pets", 0, PLACE),
    Expected("Tinder for co-founders", ("co-founders",), "", ("Match co-founders with each other",)),
    Expected(
        "A device that shows apartment tenants which appliance is wasting electricity and reminds them to "
        "switch it off",
        ("apartment tenants",),
        "not knowing which appliance is wasting electricity",
        (
            "Show apartment tenants which appliance is wasting electricity",
            "Remind apartment tenants to switch it off",
        ),
        "energy-climate",
    ),
    Expected(
        "Onboarding software that makes sure new hires in remote companies get their laptop and accounts on day one",
        ("new hires in remote companies",),
        "",
        ("Get their laptop and accounts on day one",),
        "hr",
    ),
    Expected(
        "Group trips are a pain to plan because nobody agrees. We let friends vote on dates and book the winner.",
        ("friends",),
        "group trips being a pain to plan because nobody agrees",
        ("Vote on dates", "Book the winner"),
    ),
    Expected(
        "A subscription box that sends 5 locally roasted coffees a month to 10,000 remote workers for $29",
        ("remote workers",),
        category="food",
    ),
    Expected(
        "A platform where retired engineers mentor hardware startups on manufacturing mistakes",
        ("hardware startups", "retired engineers"),
        "manufacturing mistakes",
    ),
    Expected(
        "app for helping peoples which is loosing there keys & wallet, bluetooth sticker and find with phone",
        ("people",),
        "losing their keys & wallet",
        ("Find keys & wallet",),
    ),
    Expected(
        "Parents never know what happened at daycare. An app lets caregivers send photos and notes during the day.",
        ("parents", "caregivers"),
        "not knowing what happened at daycare",
        ("Send photos and notes during the day",),
    ),
    Expected(
        "Freight drivers wait for hours at warehouses. A booking tool gives every truck a slot and tells drivers when "
        "to come.",
        ("freight drivers",),
        "freight drivers waiting for hours at warehouses",
        ("Give every truck a slot", "Tell drivers when to come"),
    ),
    Expected("platform for connect doctors with patients in rural area", ("doctors", "patients"), category="health"),
    Expected("Payroll software for restaurants", ("restaurants",), "", ("Manage payroll",)),
    Expected(
        "A wearable that warns warehouse workers before they get back pain",
        ("warehouse workers",),
        "getting back pain",
        (),
        "health",
        B2B,
        pb.PRODUCT_FORM_HARDWARE,
    ),
    Expected(
        "A B2B solution targeting Industrial operators (oil, gas), plant managers. to solve: It is impossible to test "
        "firmware in production without risking a shutdown.",
        ("industrial operators", "plant managers"),
        "being unable to test firmware in production without risking a shutdown",
        ("Test firmware in production without risking a shutdown",),
        "",
        B2B,
    ),
)


@pytest.mark.parametrize("expected", TABLE, ids=lambda row: row.text[:48])
def test_reads_what_a_careful_person_reads(expected: Expected) -> None:
    """Audience, problem, features, category, kinds, entities and regulated fields of the table's ideas."""
    profile = read_idea(normalise(expected.text)).profile
    if expected.audiences:
        assert tuple(profile.audiences) == expected.audiences
    if expected.problem:
        assert profile.problem == expected.problem
    titles = [feature.title for feature in profile.features]
    assert [title for title in expected.features if title not in titles] == []
    if expected.category:
        assert profile.category == expected.category
    if expected.customer:
        assert profile.customer_type == expected.customer
    if expected.form:
        assert profile.product_form == expected.form
    assert [entity for entity in expected.entities if entity not in profile.entities] == []
    fields = [field.field for field in profile.regulated_fields]
    assert [field for field in expected.regulated if field not in fields] == []


def test_what_is_not_stated_is_marked_as_inferred() -> None:
    """An idea without audience, payer or pain says so in inferred_fields; stated fields are not there."""
    bare = read_idea(PLATFORM).profile
    assert {"audiences", "business_model", "problem"} <= set(bare.inferred_fields)
    full = read_idea(CLINIC + ", sold as a monthly subscription").profile
    assert not {"audiences", "problem", "business_model"} & set(full.inferred_fields)
    assert full.business_model == pb.BUSINESS_MODEL_SUBSCRIPTION
    assert full.coverage > bare.coverage


def test_basis_quotes_the_idea() -> None:
    """The words that audience, problem and mechanisms rest on stand in the idea."""
    for text in REFERENCE:
        profile = read_idea(text).profile
        for field in ("audiences", "problem", "solution", "mechanisms", "product_form"):
            if field in profile.basis and field not in profile.inferred_fields:
                for piece in profile.basis[field].split("; "):
                    assert piece.lower() in text.lower(), (field, piece)


def test_the_founders_name_comes_first() -> None:
    """A given name leads; a name in the sentence comes next; coined names follow and are words of letters."""
    names = list(read_idea("PantryPal is an app that lets flatmates share groceries", "FreshKeep").profile.names)
    assert names[:2] == ["FreshKeep", "PantryPal"]
    assert all(re.fullmatch(r"[A-Z][A-Za-z]{3,13}", name) for name in names[2:])


def test_each_reference_idea_reads_differently() -> None:
    """No two reference ideas share names, problem, features, one-liner or the text of a claim."""
    readings = [read_idea(text) for text in REFERENCE]
    told: list[tuple[object, ...]] = [
        (
            r.profile.problem,
            r.profile.one_liner,
            r.profile.names[0],
            tuple(f.title for f in r.profile.features),
            *(claim.text for claim in r.claims),
        )
        for r in readings
    ]
    for column in zip(*told, strict=True):
        assert len(set(column)) == len(readings)


def test_claims_have_fixed_ids_and_whole_sentences() -> None:
    """Seven claims in their order, each a sentence with words to search with; features name one of them."""
    for text in REFERENCE:
        reading = read_idea(text)
        assert tuple(claim.id for claim in reading.claims) == CLAIM_IDS
        for claim in reading.claims:
            assert re.match(r"[A-Z0-9“].*\.$", claim.text), claim.text
            assert claim.terms
        assert {feature.claim_id for feature in reading.profile.features} <= set(CLAIM_IDS)


def test_reading_is_repeatable() -> None:
    """The same text gives the same bytes."""
    for text in REFERENCE:
        first, second = read_idea(text, "Name"), read_idea(text, "Name")
        assert first.profile.SerializeToString(deterministic=True) == second.profile.SerializeToString(
            deterministic=True
        )
        assert first.claims == second.claims


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (FOOD, "en"),
        (PLATFORM, "en"),
        ("Eine App, die Haushalten hilft, weniger Lebensmittel zu verschwenden", "de"),
        ("Une application qui aide les familles à gaspiller moins de nourriture", "fr"),
        ("Una aplicación que ayuda a las familias a desperdiciar menos comida", "es"),
        ("Приложение, которое помогает семьям выбрасывать меньше еды", "ru"),
        ("食品ロスを減らすために賞味期限を管理するアプリ", "ja"),
        ("تطبيق يساعد العائلات على تقليل هدر الطعام", "ar"),
    ],
)
def test_language_is_named(text: str, language: str) -> None:
    """English, Latin-script neighbours and other scripts are told apart, and none of them breaks the reading."""
    profile = read_idea(normalise(text)).profile
    assert profile.language == language
    assert profile.one_liner


def test_segments_are_segments_of_the_benchmarks() -> None:
    """Every benchmark segment that a category can yield stands in the search advertising figures."""
    path = SHARED / "data" / "benchmarks.json"
    if not path.exists():
        pytest.skip("the benchmark figures are not beside this checkout")
    rows = json.loads(path.read_text("utf-8"))
    rows = rows if isinstance(rows, list) else rows["figures"]
    known = {row["segment"] for row in rows if row["metric"] == "search_ads.cpc"}
    assert {category.segment for category in CATEGORIES} - {""} <= known
    assert read_idea(FOOD).profile.benchmark_segment == "Restaurants & food"
    assert read_idea("Dental practice software that automates insurance claims").profile.benchmark_segment in known


_NONSENSE = re.compile(
    r"(?:^(?:the|a|an)\s*$)|\b(?:the|a|an|of|and|or|with|to|for|by|in|that|which)$"
    r"|\b(?:a a|the the|of of|to to|and and)\b|  "
)


def test_the_list_of_ideas_yields_no_nonsense() -> None:
    """84 foreign sentences: one-liners, audiences, problems and features end as phrases end, and all are filled."""
    path = SHARED / "data" / "ideas" / "generated_startup_ideas.jsonl"
    if not path.exists():
        pytest.skip("the list of ideas is not beside this checkout")
    texts = [json.loads(line)["idea"] for line in path.read_text("utf-8").splitlines() if line]
    blank = {"features": 0, "problem": 0, "names": 0, "entities": 0, "category": 0}
    for text in texts:
        profile = read_idea(normalise(text)).profile
        phrases = [profile.one_liner, *profile.audiences, *(f.title for f in profile.features)]
        phrases += [profile.problem] if profile.problem else []
        for phrase in phrases:
            assert phrase
            assert not _NONSENSE.search(phrase), (text[:80], phrase)
        assert len(profile.one_liner) <= 140
        assert profile.audiences
        blank["features"] += not profile.features
        blank["problem"] += not profile.problem
        blank["names"] += not profile.names
        blank["entities"] += not profile.entities
        blank["category"] += profile.category == "general"
    assert blank["features"] == blank["names"] == blank["category"] == 0, blank
    assert blank["problem"] <= 6, blank
    assert blank["entities"] <= 2, blank


def test_suspicious_passages_are_rare_in_honest_ideas() -> None:
    """No idea of the table and no foreign sentence is taken for an injection."""
    path = SHARED / "data" / "ideas" / "generated_startup_ideas.jsonl"
    texts = [row.text for row in TABLE]
    if path.exists():
        texts += [json.loads(line)["idea"] for line in path.read_text("utf-8").splitlines() if line]
    flagged = [text for text in texts if read_idea(text).suspicious]
    assert flagged == []


@pytest.mark.parametrize(
    ("text", "goal"),
    [
        ("A weekly newsletter that sends local job openings to single parents", "to get local job openings"),
        ("A subscription that sends new parents a box of diapers every month", "to get a box of diapers every month"),
        ("A device that reminds elderly people to take their pills", "to remember to take their pills"),
        ("A wearable for dogs that warns owners before their pet overheats", "to be warned before their pet overheats"),
        ("A website where grandparents teach teenagers to cook", "to learn to cook"),
    ],
)
def test_claims_speak_from_the_users_side(text: str, goal: str) -> None:
    """What the product sends, its users get; nobody "wants to remind themselves" in a claim."""
    claims = {claim.id: claim.text for claim in read_idea(normalise(text)).claims}
    assert goal in claims["market-size"]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("Software that helps landlords collect rent on time", "a software"),
        ("A Network Detection and Response platform that blocks rogue agents for security teams", "network Detection"),
        ("AI-powered startup idea validation platform", "platform to validate startup ideas"),
        ("A proxy that caches LLM prompts for AI teams", "ai infrastructure"),
    ],
)
def test_claims_are_written_in_good_english(text: str, wrong: str) -> None:
    """Mass nouns take no article, names and abbreviations keep their capitals, nothing is said twice."""
    assert all(wrong not in claim.text for claim in read_idea(normalise(text)).claims)


def test_slips_of_the_pen_are_mended_for_reading_only() -> None:
    """The profile keeps the idea and its quoted words as they were written."""
    text = normalise("A tool for peoples who are loosing there keys")
    profile = read_idea(text).profile
    assert profile.idea == text
    assert list(profile.audiences) == ["people"]
    assert profile.problem == "losing their keys"
    assert all(quoted in text for quoted in (profile.basis["problem"], profile.basis["audiences"]))
