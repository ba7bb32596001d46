"""Landing pages: honest, accessible, small, alone on the wire, and different in one thing."""

from __future__ import annotations

import base64
import hashlib
import re
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from chassis.config import ConfigError, load
from chassis.figures import Figures
from pipeline.v1 import common_pb2
from services.campaign.config import CampaignConfig
from services.campaign.domain import palette
from services.campaign.drafting import Drafter
from services.campaign.rendering import PageRenderer, Signup
from tests.support.campaigns import IDEAS, draft, file_of, request_for, result_of


class Page(HTMLParser):
    """Tags with their attributes, and the text outside of style."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {k: v or "" for k, v in attrs}))
        self._open.append(tag)

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.text.append(data)

    def named(self, tag: str) -> list[dict[str, str]]:
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(params=list(IDEAS))
def pages(request: pytest.FixtureRequest, drafter: Drafter) -> tuple[str, str, str]:
    """Variant A, variant B and the privacy page of a reference idea."""
    result = draft(drafter, IDEAS[request.param])
    names = ("landing-a/index.html", "landing-b/index.html", "landing-a/privacy.html")
    return tuple(file_of(result, f"campaign/{name}") for name in names)  # type: ignore[return-value]


def test_variants_differ_in_the_headline_only(pages: tuple[str, str, str]) -> None:
    """Apart from the h1, the variant's name in the comment and in the hidden field, A and B are the same bytes."""

    def neutral(html: str) -> str:
        html = re.sub(r"<h1[^>]*>.*?</h1>", "<h1>", html)
        html = re.sub(r"variant [ab] \(\w+ headline\)", "variant", html)
        return re.sub(r'name="variant" value="[ab]"', "", html)

    a, b, _ = pages
    assert a != b
    assert neutral(a) == neutral(b)
    assert re.search(r"<h1[^>]*>(.*?)</h1>", a)[1] != re.search(r"<h1[^>]*>(.*?)</h1>", b)[1]  # type: ignore[index]


def test_without_an_outcome_the_headline_says_what_is_done(drafter: Drafter) -> None:
    """An idea that names no gain gets its first function as page B's headline, not its kind of product."""
    idea = "An API for software teams that translates agent intents into legacy system actions"
    result = draft(drafter, idea)
    assert result.landing_pages[1].headline == "Translate agent intents into legacy system actions."


def test_the_page_speaks_to_its_visitor(drafter: Drafter) -> None:
    """ "at their pace" is "at your pace" on the page, and what is found is not something wrong."""
    idea = "An app for runners who look for training partners at their pace"
    result = result_of(list(drafter.draft(request_for(idea))))
    text = file_of(result, "campaign/landing-b/index.html")
    assert "Find training partners at your pace." in text
    assert "What looks wrong" not in text
    assert "confirmed" not in result.plan.metric
    assert "pipeline campaign publish" in file_of(result, "campaign/README.txt")


def test_pages_are_small_and_alone(pages: tuple[str, str, str]) -> None:
    """Below 50 kB, without script, image, font, frame, style address or any address of a third party."""
    for html in pages:
        assert len(html.encode()) < 50_000
        page = Page(html)
        assert not {"script", "img", "iframe", "video", "object", "embed", "base"} & {tag for tag, _ in page.tags}
        links = [a.get("href", "") for tag, a in page.tags if tag in ("a", "link")]
        assert all(href.startswith(("#", "data:image/svg", "index.html", "privacy.html")) for href in links)
        assert not re.search(r"@import|url\(", html)
        assert not [1 for _, attrs in page.tags if any(k.startswith("on") or k == "style" for k in attrs)]


def test_the_policy_allows_the_style_sheet_and_nothing_else(pages: tuple[str, str, str]) -> None:
    """default-src is 'none', and the style's hash is the hash of the style that stands in the page."""
    for html in pages:
        policy = next(
            m["content"] for m in Page(html).named("meta") if m.get("http-equiv") == "Content-Security-Policy"
        )
        style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)[1]  # type: ignore[index]
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in policy
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert "base-uri 'none'" in policy


def test_the_page_is_accessible_in_structure(pages: tuple[str, str, str]) -> None:
    """Language, one h1, headings without jumps, one main, a skip link, labelled inputs, decoration hidden."""
    page = Page(pages[0])
    assert page.named("html")[0]["lang"] == "en"
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(page.named("main")) == 1
    assert page.named("a")[0]["href"] == "#main"
    assert all(svg.get("aria-hidden") == "true" for svg in page.named("svg"))
    visible = [i for i in page.named("input") if i.get("type") != "hidden"]
    order = [tag for tag, _ in page.tags]
    assert order.count("label") == len(visible)
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {attrs["aria-labelledby"] for _, attrs in page.tags if "aria-labelledby" in attrs} <= set(ids)
    assert any(m.get("name") == "viewport" for m in page.named("meta"))
    assert {"og:title", "og:description", "og:type"} <= {m.get("property") for m in page.named("meta")}


def test_an_unconnected_form_says_so_and_cannot_be_sent(pages: tuple[str, str, str]) -> None:
    """Without an endpoint the button is disabled, posting is blocked, and the page says that nothing is stored."""
    html = unescape(pages[0])
    page = Page(html)
    assert "form-action 'none'" in html
    assert "disabled" in page.named("button")[0]
    assert "Sign-ups are not connected yet: this form sends and stores nothing." in " ".join(page.text)
    assert "NOT CONNECTED" in html
    assert "hank you" not in html


def test_the_page_says_that_it_is_not_available(pages: tuple[str, str, str]) -> None:
    """It is said above the fold, in the questions and in the footer."""
    text = " ".join(Page(pages[0]).text)
    assert "It does not exist yet" in text
    assert "Is this available yet? Not yet." in text
    assert "There is no price yet." in text


def test_one_setting_connects_the_form(figures: Figures) -> None:
    """The endpoint sets the form's action and the policy's origin, enables the button and removes the note."""
    config = load(
        CampaignConfig,
        campaign_signup_endpoint="https://signup.example/a?x=1&y=2",
        campaign_controller="Ada Example, 1 Road, ada@example.org",
    )
    signup = Signup(config.campaign_signup_endpoint, config.campaign_controller)
    result = draft(Drafter(figures, PageRenderer(), signup), IDEAS["food"])
    html = file_of(result, "campaign/landing-a/index.html")
    page = Page(html)
    assert page.named("form")[0] == {
        "method": "post",
        "action": "https://signup.example/a?x=1&y=2",
        "accept-charset": "utf-8",
    }
    assert "form-action https://signup.example;" in html
    assert "disabled" not in page.named("button")[0]
    assert "not connected" not in html.lower()
    assert "Ada Example" in file_of(result, "campaign/landing-a/privacy.html")
    assert not {"sign-up form", "responsible person on the privacy page"} & {m.subject for m in result.missing}


@pytest.mark.parametrize(
    "endpoint",
    ["javascript:alert(1)", "http://example.org/x", "//evil.example", "https://a b", "https://x/';\"", "ftp://x/y"],
)
def test_an_unsafe_endpoint_stops_the_start(endpoint: str) -> None:
    """Only https addresses (http on this machine) and paths are taken; the sentence names the variable."""
    with pytest.raises(ConfigError, match=r"(?i)campaign_signup_endpoint"):
        load(CampaignConfig, campaign_signup_endpoint=endpoint)


def test_consent_is_asked_and_versioned(drafter: Drafter) -> None:
    """The consent box is required, not ticked beforehand, and its version changes with its text."""
    first = Page(file_of(draft(drafter, IDEAS["food"], name="Larder"), "campaign/landing-a/index.html"))
    other = Page(file_of(draft(drafter, IDEAS["food"], name="Pantry"), "campaign/landing-a/index.html"))
    box = next(i for i in first.named("input") if i.get("name") == "consent")
    assert "required" in box
    assert "checked" not in box

    def version(page: Page) -> str:
        return next(i["value"] for i in page.named("input") if i.get("name") == "consent_version")

    assert version(first) != version(other)
    trap = next(i for i in first.named("input") if i.get("name") == "website")
    assert (trap["tabindex"], trap["autocomplete"]) == ("-1", "off")


def test_children_cannot_sign_up(drafter: Drafter) -> None:
    """Where the idea concerns children, an adult must confirm to be one, and the ads are meant for adults."""
    result = draft(drafter, IDEAS["tutors"])
    page = Page(file_of(result, "campaign/landing-b/index.html"))
    assert any(i.get("name") == "adult" and "required" in i for i in page.named("input"))
    assert any("adults" in n.message for n in result.notices)
    food = Page(file_of(draft(drafter, IDEAS["food"]), "campaign/landing-b/index.html"))
    assert not any(i.get("name") == "adult" for i in food.named("input"))


@pytest.mark.parametrize(
    "attack", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "javascript:alert(1)", "{{7*7}}{% raw %}"]
)
def test_markup_in_the_idea_stays_text(drafter: Drafter, attack: str) -> None:
    """Whatever slot it comes through, markup is escaped and templates are not evaluated."""
    request = request_for(IDEAS["food"])
    profile = request.profile
    profile.idea = f"A mobile app {attack} that helps households waste less food"
    for field in (profile.names, profile.audiences, profile.keywords):
        field.insert(0, attack)
    profile.problem, profile.one_liner, profile.category_label = attack, attack, attack
    profile.features.insert(0, common_pb2.Feature(id="a", title=attack))
    profile.regulated_fields.add(field=attack)
    result = result_of(list(drafter.draft(request)))
    for path in ("landing-a/index.html", "landing-a/privacy.html"):
        page = Page(file_of(result, f"campaign/{path}"))
        assert not {"script", "img"} & {tag for tag, _ in page.tags}
        assert not [1 for _, attrs in page.tags if any(k.startswith("on") for k in attrs)]
        assert not [a for a in page.named("a") if a["href"].startswith("javascript")]
        assert "49" not in "".join(page.text)


@pytest.mark.parametrize("category", [*palette.LOOKS, "unknown"])
def test_every_palette_can_be_read(category: str) -> None:
    """Text reaches 4.5:1 on every ground it stands on, in light and dark (WCAG 2.2, 1.4.3)."""
    look = palette.look(category)
    for colours in (palette.light(look.hue, look.second), palette.dark(look.hue, look.second)):
        for ground in (colours.paper, colours.raised, colours.panel):
            for ink in (colours.ink, colours.muted, colours.accent):
                assert palette.contrast(ink, ground) >= palette.TEXT_CONTRAST_MIN
        assert palette.contrast(colours.on_accent, colours.accent) >= palette.TEXT_CONTRAST_MIN


def test_contrast_of_black_on_white() -> None:
    """The contrast formula gives the standard's own extremes."""
    assert palette.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert palette.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_drafts_of_the_same_idea_are_the_same_bytes(drafter: Drafter) -> None:
    """Files depend on the idea and the settings only, so that two runs can be compared."""
    first, second = draft(drafter, IDEAS["drone"]), draft(drafter, IDEAS["drone"])
    assert [a.sha256 for a in first.artifacts] == [a.sha256 for a in second.artifacts]
    for artifact in first.artifacts:
        assert hashlib.sha256(artifact.content).hexdigest() == artifact.sha256
        assert artifact.size_bytes == len(artifact.content)
