"""What visitors are sent: escaped, with a policy that allows the style sheet only, and a way on."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape

import pytest

from services.campaign.http.contract import MessageKind, Problem, Published, View, YourData
from services.campaign.http.views import Views
from services.campaign.rendering import PageRenderer
from tests.support.campaigns import IDEAS, request_for
from tests.support.published import published_of

HOSTILE = '"><script>alert(1)</script>@@form@@'
SIGN_UP = YourData("ada@example.org", datetime(2026, 11, 25, 23, 5, tzinfo=UTC), "I agree.", "1-abc", "a", "f00d" * 8)


@pytest.fixture(scope="module")
def views() -> Views:
    return Views(PageRenderer())


@pytest.fixture(scope="module")
def published() -> Published:
    """A campaign about lessons for pupils, so that the form has every field."""
    return published_of(request_for(IDEAS["tutors"]), "tutors")


def every_view(views: Views, published: Published) -> list[View]:
    """Each page that a visitor can be sent."""
    now = datetime(2026, 11, 26, tzinfo=UTC)
    return [
        *(views.landing(published, variant, "f.1") for variant in "ab"),
        *(views.landing(published, "a", "f.1", problem, "ada@example") for problem in Problem),
        views.privacy(published),
        views.yours(published, SIGN_UP, "/p/tutors/yours/t"),
        views.yours(published, replace(SIGN_UP, withdrawn_at=now), "/p/tutors/yours/t"),
        views.yours(published, replace(SIGN_UP, email="", erased_at=now), "/p/tutors/yours/t"),
        *(views.message(kind, known) for kind in MessageKind for known in (None, published)),
    ]


def test_every_view_is_complete_small_and_closed(views: Views, published: Published) -> None:
    """No placeholder is left, a page is below 50 kB, and its policy allows its own style sheet and nothing else."""
    for view in every_view(views, published):
        assert "@@" not in view.html
        assert len(view.html.encode()) < 50_000
        style = re.search(r"<style>(.*?)</style>", view.html, re.DOTALL)
        assert style
        digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
        assert view.csp == (
            f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        )
        assert '<html lang="en"' in view.html
        assert not re.search(r"<(script|img|iframe|object|embed)\b", view.html)
        assert view.html.count("<h1") == 1


def test_the_form_is_the_visitors_own(views: Views, published: Published) -> None:
    """The token stands in the hidden field, and nothing speaks of a problem."""
    view = views.landing(published, "b", "f.1")
    assert view.status == 200
    assert '<input type="hidden" name="form" value="f.1">' in view.html
    assert 'data-variant="b"' in view.html
    assert 'role="alert"' not in view.html
    assert 'aria-invalid="' not in view.html


@pytest.mark.parametrize("problem", list(Problem))
def test_a_refused_form_names_the_field_and_keeps_the_address(
    views: Views, published: Published, problem: Problem
) -> None:
    """A summary on top leads to the field, the field is described by the sentence, and the title says "Error"."""
    view = views.landing(published, "a", "f.2", problem, "ada@example")
    assert view.status == 422
    assert "<title>Error: " in view.html
    assert view.html.count('role="alert"') == 1
    assert f'<a href="#{problem.value}">' in view.html
    field = re.search(rf'<input id="{problem.value}"[^>]*>', view.html)
    assert field
    assert 'aria-invalid="true" aria-describedby="wrong"' in field[0]
    assert view.html.count('id="wrong"') == 1
    assert 'value="ada@example"' in view.html


def test_what_a_visitor_wrote_comes_back_as_text(views: Views, published: Published) -> None:
    """Markup and placeholders in the address are escaped and not filled in again."""
    view = views.landing(published, "a", "f.3", Problem.EMAIL, HOSTILE)
    assert "<script" not in view.html
    assert view.html.count("f.3") == 1
    field = re.search(r'<input id="email"[^>]* value="([^"]*)"', view.html)
    assert field
    assert unescape(field[1]) == HOSTILE


def test_what_is_kept_is_shown_as_text(views: Views, published: Published) -> None:
    """A hostile address on one's own page is shown as it is kept."""
    view = views.yours(published, replace(SIGN_UP, email=HOSTILE), "/p/tutors/yours/t")
    assert "<script" not in view.html
    assert HOSTILE in unescape(view.html)


def test_what_is_kept_has_one_button_each(views: Views, published: Published) -> None:
    """Address, time, version and consent are shown; withdrawing, exporting and erasing are one step each."""
    html = unescape(views.yours(published, SIGN_UP, "/p/tutors/yours/t").html)
    for kept in ("ada@example.org", "25 November 2026, 23:05 UTC", "Version A of two", "“I agree.”", "1-abc"):
        assert kept in html
    assert '<form method="post" action="/p/tutors/yours/t/withdraw">' in html
    assert '<form method="get" action="/p/tutors/yours/t/export">' in html
    assert '<form method="post" action="/p/tutors/yours/t/erase">' in html


def test_after_withdrawing_what_is_left_can_still_be_erased(views: Views, published: Published) -> None:
    """The page says when, offers export and erasure, and no second withdrawal."""
    gone = replace(SIGN_UP, withdrawn_at=datetime(2026, 11, 26, 8, tzinfo=UTC))
    html = views.yours(published, gone, "/p/tutors/yours/t").html
    assert "26 November 2026, 08:00 UTC" in html
    assert "/withdraw" not in html
    assert "/export" in html
    assert "/erase" in html


def test_after_erasing_nothing_is_shown(views: Views, published: Published) -> None:
    """No address, no consent, no button."""
    gone = replace(SIGN_UP, email="", erased_at=datetime(2026, 11, 26, tzinfo=UTC))
    html = views.yours(published, gone, "/p/tutors/yours/t").html
    assert "<form" not in html
    assert "I agree." not in html
    assert "Erased" in html


@pytest.mark.parametrize("kind", list(MessageKind))
def test_every_message_has_its_status_and_its_look(views: Views, published: Published, kind: MessageKind) -> None:
    """Errors are errors to programs too; where the campaign is known the page is in its look and leads back to it."""
    alone, known = views.message(kind), views.message(kind, published)
    assert alone.status == known.status >= 400
    assert published.title in known.html
    assert f'href="{published.home}"' in known.html
    assert "/p/" not in alone.html
