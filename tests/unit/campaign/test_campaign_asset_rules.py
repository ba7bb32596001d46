"""Rules of the ads' texts: whatever a profile holds, what is written fits, differs and parses back."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections import Counter
from collections.abc import Sequence

import pytest
from google.protobuf.json_format import ParseDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.figures import Figures
from pipeline.v1 import common_pb2
from pipeline.v1.campaign_pb2 import AdAsset, Keyword
from services.campaign.domain import copywriting, exports, limits
from services.campaign.domain.brief import read_brief
from services.campaign.domain.keywords import plan_keywords
from services.campaign.domain.limits import Slot
from services.campaign.domain.plan import PlanDraft, make_plan
from services.campaign.drafting import Drafter
from tests.support.campaigns import IDEAS, draft, request_for

Plans = dict[str, PlanDraft]

ODD = [
    "مرحبا بالعالم", "日本語のアプリ", "e\u0301\u0323" * 20, "zero\u200bwidth\u200d", "{{ 7 * 7 }} ${x} %s",
    "\x00\x07bell\r\n",
    "＝SUM(A1)", "=1+1", "@x", "👩‍👩‍👧‍👦" * 9, "a" * 300, "", "  ", "tracks expiry dates", "small clinics",
]  # fmt: skip
WORDS = st.one_of(st.text(max_size=40), st.sampled_from(ODD))
CTAS = st.sampled_from([copywriting.WAITING_LIST, copywriting.PILOT, copywriting.LAUNCH])
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


@pytest.fixture(scope="module")
def plans(figures: Figures) -> Plans:
    """A plan of each kind of campaign; what ads.csv takes from it does not depend on the profile."""
    brief = read_brief(request_for(IDEAS["food"]).profile, [])
    return {
        cta.noun: make_plan(figures, brief, "consumer_app", common_pb2.CUSTOMER_TYPE_B2C, 25_000_000, cta)
        for cta in (copywriting.WAITING_LIST, copywriting.PILOT, copywriting.LAUNCH)
    }


@st.composite
def profiles(draw: st.DrawFn) -> common_pb2.IdeaProfile:
    """Profiles of any text in the slots that ads are written from."""
    some = st.lists(WORDS, max_size=3)
    return common_pb2.IdeaProfile(
        idea=draw(WORDS) + "x",
        names=draw(some),
        audiences=draw(some),
        problem=draw(WORDS),
        features=[common_pb2.Feature(title=title) for title in draw(some)],
        keywords=draw(some),
    )


@settings(max_examples=1000, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(profile=profiles(), cta=CTAS)
def test_a_thousand_profiles_keep_every_limit(
    plans: Plans, profile: common_pb2.IdeaProfile, cta: copywriting.CallToAction
) -> None:
    """No asset is over its limit, empty or said twice, each slot has its minimum, both exports parse back."""
    brief = read_brief(profile, [])
    assets, keywords = list(copywriting.write_assets(brief, cta)), plan_keywords(brief, [])
    assert all(a.text.strip() and a.length == limits.width(a.text) <= a.length_limit for a in assets)
    said = [(a.platform, a.kind, a.text.casefold()) for a in assets]
    assert len(said) == len(set(said))
    made = Counter(a.id.rpartition("-")[0] for a in assets)
    assert all(slot.least <= made[slot.slug] <= slot.most for slot in limits.SLOTS)
    ads = json.loads(exports.ads_json(assets, keywords))
    assert [ParseDict(item, AdAsset()) for items in ads["platforms"].values() for item in items] == assets
    read = [ParseDict(item, Keyword()) for item in (*ads["keywords"], *ads["negative_keywords"])]
    assert read == keywords
    _check_csv(exports.ads_csv(brief, assets, keywords, plans[cta.noun]), assets, keywords)


def _check_csv(text: str, assets: Sequence[AdAsset], keywords: Sequence[Keyword]) -> None:
    """Every row whole, no cell a formula, and the ad and the keywords as they were written."""
    table = list(csv.reader(io.StringIO(text, newline="")))
    assert {len(row) for row in table} == {len(table[0])}
    assert not [cell for row in table for cell in row if cell.startswith(FORMULAS)]
    rows = [dict(zip(table[0], row, strict=True)) for row in table[1:]]
    (ad,) = [row for row in rows if row["Ad type"]]
    for kind, columns in (("Headline", 15), ("Description", 4), ("Path", 2)):
        slug = f"google-{kind.lower()}-"
        shown = [ad[f"{kind} {i}"] for i in range(1, columns + 1) if ad[f"{kind} {i}"]]
        assert shown == [exports.safe_cell(a.text) for a in assets if a.id.startswith(slug)]
    assert [row["Keyword"] for row in rows if row["Keyword"]] == [exports.safe_cell(k.text) for k in keywords]


@pytest.mark.parametrize("start", FORMULAS)
def test_no_cell_starts_a_formula_and_the_text_parses_back(start: str) -> None:
    """A cell that a spreadsheet would run gets an apostrophe; csv gives the rest back unchanged."""
    out = io.StringIO()
    csv.writer(out).writerow([exports.safe_cell(f"{start}1")])
    assert next(csv.reader(io.StringIO(out.getvalue(), newline=""))) == [f"'{start}1"]


@pytest.mark.parametrize("text", ["SAVE MONEY today", "F R E E recipes", "Call +1 555 010 9999", "Fresh food;; now"])
def test_shouting_and_telephone_numbers_are_refused(text: str) -> None:
    """Google's editorial rules: no excess of capitals, no telephone number, no repeated punctuation."""
    assert not limits.acceptable(text)


def test_a_line_inside_another_is_left_out() -> None:
    """All words of a line in another of the same mood: a repeat. A question beside a statement is none."""
    brief = read_brief(request_for(IDEAS["fraud"]).profile, [])
    slot = Slot(limits.GOOGLE, limits.HEADLINE, "x", 30, 1, 5)
    lines = ("Applies formal rules", "Formal rules", "Too many formal rules?")
    chosen = copywriting.select([copywriting.Family((line,), "") for line in lines], slot, brief)
    assert [text for text, _ in chosen] == ["Applies formal rules", "Too many formal rules?"]


def test_a_platform_without_its_minimum_is_left_out_and_named(drafter: Drafter) -> None:
    """Where no text fits a slot, the platform has no ads at all, and the draft says which and why."""
    result = draft(dataclasses.replace(drafter, slots=limits.slots(linkedin_intro=5)), IDEAS["food"])
    assert limits.LINKEDIN not in {a.platform for a in result.assets}
    assert "ads for LinkedIn" in {m.subject for m in result.missing}


def test_the_configured_linkedin_limit_is_shown(drafter: Drafter) -> None:
    """A longer introductory text may be configured, and each asset names the limit it was held to."""
    result = draft(dataclasses.replace(drafter, slots=limits.slots(linkedin_intro=600)), IDEAS["food"])
    assert {a.length_limit for a in result.assets if a.id.startswith("linkedin-intro-")} == {600}


def test_no_keyword_holds_what_google_refuses() -> None:
    """Signs that Google Ads refuses are gone, whatever the profile's keywords hold."""
    profile = request_for(IDEAS["food"]).profile
    profile.keywords.extend(["food! waste*", "a@b, c", "x_y {z}", "+expiry date"])
    texts = [k.text for k in plan_keywords(read_brief(profile, []), [])]
    assert not [t for t in texts if set(t) & set(",!@%^*(){}=;~`<>?|+_")]
    assert all(len(t) <= 80 and len(t.split()) <= 10 for t in texts)
