"""Ad assets: within limits, specific, grammatical where shapes are known, and never promising what is not proven."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.v1 import common_pb2
from pipeline.v1.campaign_pb2 import DraftCampaignRequest
from services.campaign.domain import copywriting, exports, limits
from services.campaign.domain.brief import read_brief
from services.campaign.domain.limits import Slot, unproven_claim, width
from services.campaign.domain.phrases import Shape, make_function, read_pain, shorter
from services.campaign.drafting import Drafter
from tests.support.campaigns import IDEAS, draft, file_of, request_for, result_of, texts

TEXT = st.text(max_size=60)
NAUGHTY = st.sampled_from(
    [
        "=1+1",
        "+cmd",
        "-2",
        "@x",
        "<script>alert(1)</script>",
        "日本語のアプリ",
        "👩‍👩‍👧‍👦" * 9,
        "\u202eabc",
        "a" * 300,
        "",
        "  ",
    ]
)
SLOT_TEXT = st.one_of(TEXT, NAUGHTY)


@st.composite
def profiles(draw: st.DrawFn) -> common_pb2.IdeaProfile:
    """Profiles of random text in every slot; the contract's shapes hold, nothing else does."""
    several = st.lists(SLOT_TEXT, max_size=4)
    return common_pb2.IdeaProfile(
        idea=draw(SLOT_TEXT) + "x",
        names=draw(several),
        one_liner=draw(SLOT_TEXT),
        audiences=draw(several),
        problem=draw(SLOT_TEXT),
        mechanisms=draw(several),
        features=[common_pb2.Feature(id=str(i), title=t) for i, t in enumerate(draw(several))],
        keywords=draw(several),
        category=draw(st.sampled_from(["food", "security", "", "no-such-field"])),
        category_label=draw(SLOT_TEXT),
        customer_type=draw(st.sampled_from(common_pb2.CustomerType.values())),
        product_form=draw(st.sampled_from(common_pb2.ProductForm.values())),
    )


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(profile=profiles())
def test_random_profiles_keep_every_limit(drafter: Drafter, profile: common_pb2.IdeaProfile) -> None:
    """Whatever the profile holds, every asset fits, each slot has its minimum, and the CSV parses back."""
    result = result_of(list(drafter.draft(DraftCampaignRequest(profile=profile))))
    for asset in result.assets:
        assert asset.text.strip()
        assert asset.length == width(asset.text) <= asset.length_limit
    for slot in limits.SLOTS:
        assert slot.least <= len(texts(result, f"{slot.slug}-")) <= slot.most
    rows = list(csv.reader(io.StringIO(file_of(result, "campaign/ads.csv"))))
    assert len({len(row) for row in rows}) == 1
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    ad = next(row for row in csv.DictReader(io.StringIO(file_of(result, "campaign/ads.csv"))) if row["Ad type"])
    headlines = [ad[f"Headline {i}"] for i in range(1, 16) if ad[f"Headline {i}"]]
    assert [h.removeprefix("'") for h in headlines] == [h.removeprefix("'") for h in texts(result, "google-headline-")]
    assert all(p.size_bytes < exports.PAGE_BYTES_MAX for p in result.landing_pages)
    json.loads(file_of(result, "campaign/plan.json"))


@pytest.mark.parametrize("key", IDEAS)
def test_reference_ideas_read_as_themselves(drafter: Drafter, key: str) -> None:
    """Each reference idea gets at least eight headlines, no near-repeats, no promise, and its own words."""
    result = draft(drafter, IDEAS[key])
    headlines = texts(result, "google-headline-")
    assert len(headlines) >= 8
    assert len({h.casefold() for h in headlines}) == len(headlines)
    own = {
        "food": "Waste less food",
        "clinic": "Reduce no-shows",
        "fraud": "Detect fraudulent invoices",
        "tutors": "Find vetted tutors",
        "drone": "Scans farm fields",
        "validation": "Validate startup ideas",
    }
    assert own[key] in headlines
    everything = [a.text for a in result.assets] + [p.headline for p in result.landing_pages]
    assert not [text for text in everything if unproven_claim(text)]
    assert not [text for text in everything if re.search(r"\d", text)]
    claims = {c.id for c in request_for(IDEAS[key]).claims}
    assert {a.claim_id for a in result.assets} <= claims


def test_ideas_differ_in_most_of_their_copy(drafter: Drafter) -> None:
    """Beyond the lines that ask for a sign-up, no two reference ideas share a headline."""
    asking = set(copywriting.WAITING_LIST.lines)
    seen: dict[str, str] = {}
    for key, idea in IDEAS.items():
        for text in set(texts(draft(drafter, idea), "google-headline-")) - asking:
            assert seen.setdefault(text, key) == key


def test_ads_say_that_it_is_not_out_yet(drafter: Drafter) -> None:
    """On every platform at least one text says that the product does not exist yet."""
    for idea in IDEAS.values():
        result = draft(drafter, idea)
        for prefix in ("google-description-", "meta-primary-", "linkedin-intro-"):
            assert any(re.search(r"not (?:out|built)|not a product", t, re.I) for t in texts(result, prefix)) or any(
                "before we build" in t for t in texts(result, prefix)
            )


def test_double_width_characters_count_two() -> None:
    """Google counts a Japanese character as two: 15 fit where 30 Latin ones do."""
    assert width("a" * 30) == 30
    assert width("日" * 15) == 30
    assert width("ｱ") == 1


@pytest.mark.parametrize(
    "text",
    ["#1 recipe app", "Guaranteed savings", "Trusted by clinics", "The best tool", "Proven to work", "Free for all"],
)
def test_unproven_claims_are_refused(text: str) -> None:
    """Superlatives, guarantees and borrowed trust do not pass."""
    assert unproven_claim(text)
    assert not limits.acceptable(text)


@pytest.mark.parametrize(
    "text", ["Gluten-free recipes", "Detects fraud", "Fewer no-shows", "Would you use it? Tell us"]
)
def test_honest_lines_pass(text: str) -> None:
    """Ordinary copy is not mistaken for a promise ("gluten-free" is no price)."""
    assert limits.acceptable(text)


def test_an_unproven_name_or_feature_stays_out_of_the_ads(drafter: Drafter) -> None:
    """A feature that promises results, and a number the idea does not hold, reach no ad."""
    request = request_for(IDEAS["food"])
    request.profile.features.insert(0, common_pb2.Feature(id="x", title="Guarantee 50 percent less waste"))
    result = result_of(list(drafter.draft(request)))
    assert not [a.text for a in result.assets if "uarantee" in a.text or "50" in a.text]


def test_nothing_is_cut() -> None:
    """A line that does not fit is dropped for a shorter wording; a slot never holds the beginning of a longer line."""
    brief = read_brief(request_for(IDEAS["drone"]).profile, [])
    slot = Slot(limits.GOOGLE, limits.HEADLINE, "x", 12, 1, 3)
    family = copywriting.Family(("Know where to irrigate and spray", "Scans fields", "Fields"), "", 2)
    assert [text for text, _ in copywriting.select([family], slot, brief)] == ["Scans fields", "Fields"]


@pytest.mark.parametrize(
    ("problem", "shape", "pain"),
    [
        ("wasting food", Shape.GERUND, "wasting food"),
        ("waste food", Shape.NOUN, "waste food"),
        ("no-shows", Shape.NOUN, "no-shows"),
        ("finding a good tutor", Shape.STRIVING, "finding a good tutor"),
        ("validating ideas by hand", Shape.GERUND, "validating ideas by hand"),
        ("raw images having much noise", Shape.CLAUSE, "raw images have much noise"),
        ("their state is lost", Shape.CLAUSE, "their state is lost"),
        ("", Shape.NONE, ""),
    ],
)
def test_the_problem_is_read_by_its_grammar(problem: str, shape: Shape, pain: str) -> None:
    """A problem's shape decides which sentences it may stand in."""
    assert read_pain(problem) == (pain, shape)


def test_functions_speak_of_the_product_not_of_the_reader() -> None:
    """ "Suggest recipes" becomes "suggests recipes"; an audience that is acted on becomes "you"."""
    assert make_function("Suggest recipes", "").title == "Suggests recipes"
    assert make_function("automatic reminders", "").third == "offers automatic reminders"
    tells = make_function("alert finance teams before they pay", "")
    assert tells.third_to("finance teams", "you") == "alerts you before you pay"
    assert tells.third_to("finance teams", "them") == "alerts them before they pay"


def test_shorter_forms_end_where_a_phrase_ends() -> None:
    """Phrases are shortened at prepositions and clauses only, and not where the verb needs its complement."""
    assert list(shorter("detect fraudulent invoices before finance teams pay them", "detect")) == [
        "detect fraudulent invoices before finance teams pay them",
        "detect fraudulent invoices",
    ]
    assert list(shorter("tell growers where to spray", "tell")) == ["tell growers where to spray"]
    assert "match students" not in list(shorter("match students with tutors for lessons", "match"))


def test_consumers_are_not_asked_for_their_team(drafter: Drafter) -> None:
    """LinkedIn copy asks households for themselves and finance teams for their team."""
    assert not [t for t in texts(draft(drafter, IDEAS["food"]), "linkedin-") if "your team" in t]
    assert [t for t in texts(draft(drafter, IDEAS["fraud"]), "linkedin-") if "your team" in t]


@pytest.mark.parametrize(
    ("idea", "said", "never"),
    [
        (
            "Group trips are a pain to plan. We let friends vote on dates and book the winner.",
            "lets them vote on dates",
            "that votes on dates",
        ),
        (
            "Onboarding software that makes sure new hires get their laptop on day one",
            "gets your laptop on day one",
            "Web app",
        ),
        ("A tool for people who are losing their keys", "losing your keys", "Tired of losing their"),
        ("Software that helps landlords collect rent on time", "Hard to collect rent", "Tired of collecting"),
        (
            "A platform where retired engineers mentor hardware startups on manufacturing mistakes",
            "Too many manufacturing mistakes?",
            "Still manufacturing mistakes?",
        ),
    ],
)
def test_copy_speaks_to_the_reader_and_lets_them_act(drafter: Drafter, idea: str, said: str, never: str) -> None:
    """What users do is not said of the product, what is theirs is "your" to them, nobody is tired of a wish."""
    lines = " | ".join(a.text for a in draft(drafter, idea).assets)
    assert said in lines
    assert never not in lines


def test_no_line_speaks_of_a_plan_that_the_reader_cannot_see(drafter: Drafter) -> None:
    """A visitor finds a page, not a plan."""
    for idea in IDEAS.values():
        assert not [a.text for a in draft(drafter, idea).assets if "read the plan" in a.text.lower()]
