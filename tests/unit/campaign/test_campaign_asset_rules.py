"""Rules of the ads' texts: whatever a profile holds, what is written fits, differs and parses back."""

from __future__ import annotations

import csv
import dataclasses
import io
import json

import pytest
from google.protobuf.json_format import ParseDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.v1 import common_pb2
from pipeline.v1.campaign_pb2 import AdAsset
from services.campaign.domain import copywriting, exports, limits
from services.campaign.domain.brief import read_brief
from services.campaign.domain.keywords import plan_keywords
from services.campaign.domain.limits import Slot
from services.campaign.drafting import Drafter
from tests.support.campaigns import IDEAS, draft, request_for

ODD = [
    "مرحبا بالعالم", "日本語のアプリ", "e\u0301\u0323" * 20, "zero\u200bwidth\u200d", "{{ 7 * 7 }} ${x} %s",
    "\x00\x07bell\r\n",
    "＝SUM(A1)", "=1+1", "@x", "👩‍👩‍👧‍👦" * 9, "a" * 300, "", "  ", "tracks expiry dates", "small clinics",
]  # fmt: skip
WORDS = st.one_of(st.text(max_size=40), st.sampled_from(ODD))
CTAS = st.sampled_from([copywriting.WAITING_LIST, copywriting.PILOT, copywriting.LAUNCH])


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
def test_a_thousand_profiles_keep_every_limit(profile: common_pb2.IdeaProfile, cta: copywriting.CallToAction) -> None:
    """No asset is over its limit, empty or said twice, each slot has its minimum, ads.json parses back."""
    brief = read_brief(profile, [])
    assets, keywords = list(copywriting.write_assets(brief, cta)), plan_keywords(brief, [])
    assert all(a.text.strip() and a.length == limits.width(a.text) <= a.length_limit for a in assets)
    said = [(a.platform, a.kind, a.text.casefold()) for a in assets]
    assert len(said) == len(set(said))
    for slot in limits.SLOTS:
        assert slot.least <= sum(a.id.startswith(f"{slot.slug}-") for a in assets) <= slot.most
    platforms = json.loads(exports.ads_json(assets, keywords))["platforms"].values()
    assert [ParseDict(item, AdAsset()) for items in platforms for item in items] == assets


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"])
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
