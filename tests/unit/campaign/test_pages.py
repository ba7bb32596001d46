"""Pages as they are served: alike but for the headline, without foreign placeholders, and honest about what is kept."""

from __future__ import annotations

import difflib
import re
from html import unescape

import pytest

from pipeline.v1 import common_pb2
from pipeline.v1.campaign_pb2 import DraftCampaignRequest
from services.campaign.drafting import Drafter
from services.campaign.live.pages import ServedPages, render_served
from services.campaign.rendering import PageRenderer, visible
from tests.support.campaigns import IDEAS, request_for, result_of
from tests.support.published import CONTROLLER

PLACEHOLDERS = ["mark", "problem", "email", "emailinvalid", "emailerror", "consentinvalid", "consenterror", "form"]


def served(drafter: Drafter, request: DraftCampaignRequest, controller: str = CONTROLLER) -> ServedPages:
    draft = result_of(list(drafter.draft(request)))
    return render_served(
        request, draft, PageRenderer(), slug="larder", page_url="https://try.example/p/larder", controller=controller
    )


@pytest.mark.parametrize("idea", list(IDEAS))
def test_a_and_b_differ_in_the_headline_and_their_marker_only(drafter: Drafter, idea: str) -> None:
    """Two lines differ: the variant's mark on the root element, and the words of the h1."""
    pages = served(drafter, request_for(IDEAS[idea])).pages
    changed = [
        line
        for line in difflib.unified_diff(pages["a"].splitlines(), pages["b"].splitlines(), n=0, lineterm="")
        if line[0] in "+-" and line[:3] not in ("+++", "---")
    ]
    assert changed[:2] == ['-<html lang="en" data-variant="a">', '+<html lang="en" data-variant="b">']
    headlines = [re.fullmatch(r"[+-](<h1[^>]*>)(.+)</h1>", line) for line in changed[2:]]
    assert len(headlines) == 2
    first, second = (match.groups() for match in headlines if match)
    assert first[0] == second[0], "both headlines are set in one size"
    assert first[1] != second[1]


def test_a_served_page_has_room_for_one_visitor(drafter: Drafter) -> None:
    """The form posts to the page's own address and holds every placeholder once; the others hold none of them."""
    pages = served(drafter, request_for(IDEAS["food"])).pages
    for key in ("a", "b"):
        assert '<form method="post" action="/p/larder/signup"' in pages[key]
        assert '<input type="hidden" name="form" value="@@form@@">' in pages[key]
        assert sorted(re.findall(r"@@(\w+)@@", pages[key])) == sorted(PLACEHOLDERS)
    assert "@@" not in pages["privacy"]
    assert sorted(re.findall(r"@@(\w+)@@", pages["shell"])) == ["main", "title"]


def test_a_link_to_the_page_has_a_preview(drafter: Drafter) -> None:
    """Open Graph and the canonical address name the public address."""
    html = served(drafter, request_for(IDEAS["food"])).pages["a"]
    for name in ("og:title", "og:description", "og:type"):
        assert re.search(rf'<meta property="{name}" content="[^"]+">', html)
    assert '<meta property="og:url" content="https://try.example/p/larder">' in html
    assert '<link rel="canonical" href="https://try.example/p/larder">' in html


@pytest.mark.parametrize("hostile", ["@@form@@", "@@@form@@@", "@@email@@ @@problem@@", "@@main@@"])
def test_an_idea_cannot_bring_a_placeholder(drafter: Drafter, hostile: str) -> None:
    """Whatever slot it comes through, two at-signs are text: they are shown, and nothing is put in their place."""
    request = request_for(IDEAS["food"])
    profile = request.profile
    profile.names.insert(0, hostile)
    profile.audiences.insert(0, hostile)
    profile.features.insert(0, common_pb2.Feature(id="a", title=hostile))
    profile.problem, profile.one_liner, profile.category_label = hostile, hostile, hostile
    pages = served(drafter, request, controller=f"Ada {hostile}").pages
    for key in ("a", "b"):
        assert sorted(re.findall(r"@@(\w+)@@", pages[key])) == sorted(PLACEHOLDERS)
    assert "@@" not in pages["privacy"]
    assert hostile in unescape(pages["privacy"]), "it is still shown as it was written"


def test_a_name_cannot_turn_the_consent_around(drafter: Drafter) -> None:
    """Overrides of direction are taken out of page and stored consent alike; right-to-left letters stay."""
    request = request_for(IDEAS["food"], name="\u202eLarder \u05de\u05d6\u05d5\u05df")
    request.profile.names.insert(0, "\u202eLarder \u05de\u05d6\u05d5\u05df\x07")
    pages = served(drafter, request)
    assert "Larder \u05de\u05d6\u05d5\u05df" in pages.consent_text
    for text in (pages.title, pages.consent_text, *pages.pages.values()):
        assert not {"\u202e", "\x07"} & set(text)
    assert pages.consent_text in unescape(pages.pages["a"])


def test_visible_keeps_what_can_be_seen() -> None:
    """Only controls and directional formatting go."""
    assert visible("a\u202e\u2066b\x00c\nd \u05de\u200f") == "abc\nd \u05de\u200f"


def test_the_consent_that_is_stored_is_the_one_that_is_shown(drafter: Drafter) -> None:
    """Text and version stand on the privacy page too, name the controller, and cover the cookie."""
    subject = served(drafter, request_for(IDEAS["food"]))
    assert CONTROLLER in subject.consent_text
    assert "cookie" in subject.consent_text
    assert subject.consent_text in unescape(subject.pages["b"])
    assert subject.consent_text in unescape(subject.pages["privacy"])
    assert subject.consent_version in subject.pages["privacy"]
    other = served(drafter, request_for(IDEAS["food"]), controller="Somebody Else")
    assert other.consent_version != subject.consent_version


def test_adults_are_asked_where_children_are_concerned(drafter: Drafter) -> None:
    """The flag and the box on the page agree."""
    for idea, wanted in (("tutors", True), ("food", False)):
        subject = served(drafter, request_for(IDEAS[idea]))
        assert subject.adults_only is wanted
        assert ('name="adult"' in subject.pages["a"]) is wanted


def test_the_privacy_page_says_who_and_what(drafter: Drafter) -> None:
    """Responsible person, the keyed hash and the end of its key, the cookie, and the way out."""
    html = unescape(served(drafter, request_for(IDEAS["food"])).pages["privacy"])
    assert CONTROLLER in html
    for said in ("keyed hash", "deleted when the test ends", "one cookie", "withdraws your consent", "erases it"):
        assert said in html
    gap = unescape(served(drafter, request_for(IDEAS["food"]), controller="").pages["privacy"])
    assert "To be filled in before publishing: name, postal address and e-mail address." in gap
    assert "the address above" not in gap


def test_served_pages_are_the_same_bytes_each_time(drafter: Drafter) -> None:
    """Rendering depends on its arguments only, and every page stays below 50 kB."""
    first, second = (served(drafter, request_for(IDEAS["drone"])) for _ in range(2))
    assert first == second
    assert all(len(html.encode()) < 50_000 for html in first.pages.values())
