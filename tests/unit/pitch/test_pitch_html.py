"""The deck as a page: the same slides, nothing from outside, nothing that runs but its own script."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from pipeline.v1 import common_pb2
from services.pitch.render.html_writer import write_html
from tests.support.pitches import IDEAS, INVESTORS, deck_of, item, reference_deck, request_for

SEED = common_pb2.INVESTOR_TYPE_SEED


class Page(HTMLParser):
    """Collects elements and texts."""

    def __init__(self, blob: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(blob.decode("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.mark.parametrize("investor", INVESTORS)
@pytest.mark.parametrize("key", IDEAS)
def test_the_page_has_the_same_slides(key: str, investor: int) -> None:
    """One section per slide, with its title and every statement and table cell."""
    deck = reference_deck(key, investor)
    page = Page(write_html(deck))
    assert [section["id"] for section in page.all("section")] == [f"slide-{slide.number}" for slide in deck.slides]
    for slide in deck.slides:
        assert slide.title in page.text
        for statement in slide.statements:
            for part in re.split(r": “|” — ", statement.text):
                assert part.removesuffix(".") in page.text
        for row in slide.table.rows:
            assert all(cell in page.text for cell in row.cells)
    assert len(page.all("svg")) >= sum(slide.HasField("chart") for slide in deck.slides)


def test_every_mark_leads_to_an_entry_of_the_page() -> None:
    """Anchors of marks exist, and each is there once."""
    page = Page(write_html(reference_deck("fraud", SEED)))
    ids = [str(attributes["id"]) for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    marks = [str(link["href"]) for link in page.all("a") if str(link["href"]).startswith("#")]
    assert len(marks) > 40
    assert {mark.removeprefix("#") for mark in marks} <= set(ids)


def test_nothing_is_fetched_and_only_its_own_script_runs() -> None:
    """No element loads anything; the policy allows the page's style and script by hash and nothing else."""
    blob = write_html(reference_deck("food", SEED))
    page = Page(blob)
    assert not page.all("img") + page.all("iframe") + page.all("link") + page.all("object") + page.all("form")
    assert all("src" not in attributes for _, attributes in page.elements)
    assert all(not name.startswith("on") and name != "style" for _, attributes in page.elements for name in attributes)
    policy = next(str(meta["content"]) for meta in page.all("meta") if meta.get("http-equiv"))
    assert policy.startswith("default-src 'none'")
    text = blob.decode()
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        (inner,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()
        assert f"{rule} 'sha256-{digest}'" in policy


def test_markup_in_the_idea_stays_text() -> None:
    """Script tags and attribute breaks in any slot come out escaped; javascript addresses make no link."""
    evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    request = request_for(IDEAS["food"], evidence=[item("problem", evil, title=evil, url="javascript:alert(1)")])
    request.profile.names[:] = [evil]
    request.profile.problem = evil
    request.profile.audiences[:] = [evil]
    page = Page(write_html(deck_of(request)))
    assert len(page.all("script")) == 1
    assert not page.all("img")
    assert all(str(link["href"]).startswith(("#", "https://", "http://")) for link in page.all("a"))
    assert "alert(1)" in page.text


def test_the_page_can_be_read_by_everyone() -> None:
    """A language, one main heading, labelled sections and described charts."""
    page = Page(write_html(reference_deck("tutor", SEED)))
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("h1")) == 1
    assert all(section["aria-labelledby"] for section in page.all("section"))
    described = [svg for svg in page.all("svg") if svg.get("role") == "img"]
    assert described
    assert all(len(str(svg["aria-label"])) > 20 for svg in described)


def test_the_same_deck_gives_the_same_page() -> None:
    """No date, no random id."""
    assert write_html(deck_of(request_for(IDEAS["food"]))) == write_html(deck_of(request_for(IDEAS["food"])))
