"""Landing pages in a real browser: readable for everybody, closed to what an idea may bring."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from aiohttp import web

from chassis.figures import Figures
from pipeline.v1 import campaign_pb2, common_pb2
from pipeline.v1.campaign_pb2 import DraftCampaignRequest
from services.campaign.drafting import Drafter
from services.campaign.http.contract import MessageKind, Problem, Published, View, YourData
from services.campaign.http.views import Views
from services.campaign.live.pages import render_served
from services.campaign.rendering import PageRenderer, Signup
from tests.support.browsers import DESKTOP, PHONE, SCHEMES, Scheme, chromium, visit
from tests.support.campaigns import IDEAS, request_for, result_of

SIGN_UP = YourData("ada@example.org", datetime(2026, 11, 25, 23, 5, tzinfo=UTC), "I agree.", "1-abc", "a")
HOSTILE = {
    "script": "<script>alert(1)</script>",
    "handler": '"><img src=x onerror=alert(1)>',
    "quotes": "'\"`&lt;&#x27; -->]]></title></style>",
    "link": "javascript:alert(1)",
    "template": "{{7*7}}{% raw %}${7*7}",
    "placeholder": "@@form@@ @@problem@@ @@main@@",
    "override": "\u202eevil\u202d \u2066\u2067",
    "arabic": "\u062a\u0637\u0628\u064a\u0642 \u064a\u0642\u0644\u0644 \u0645\u0646 \u0647\u062f\u0631",
    "hebrew": "\u05d0\u05e4\u05dc\u05d9\u05e7\u05e6\u05d9\u05d4 \u05e0\u05d2\u05d3 \u05d1\u05d6\u05d1\u05d5\u05d6",
    "long": "Donaudampfschifffahrtsgesellschaftskapitaensmuetzenabzeichen" * 3,
    "combining": "Z\u0351\u036b\u0343\u036a\u0302" * 20,
    "emoji": "\U0001f469\u200d\U0001f4bb\U0001f1fa\U0001f1f8" * 40,
}


def published_of(request: DraftCampaignRequest, slug: str) -> Published:
    """What the store would hold after publication."""
    renderer = PageRenderer()
    draft = result_of(list(Drafter(Figures.load(), renderer, Signup()).draft(request)))
    controller = "Ada Example, 1 Road, Sometown, ada@example.org"
    url = f"https://try.example/p/{slug}"
    pages = render_served(request, draft, renderer, slug=slug, page_url=url, controller=controller)
    return Published(
        id=slug,
        slug=slug,
        title=pages.title,
        status=campaign_pb2.CAMPAIGN_STATUS_RUNNING,
        visitor_key=b"k" * 32,
        pages=pages.pages,
        consent_text=pages.consent_text,
        consent_version=pages.consent_version,
        adults_only=pages.adults_only,
        page_url=url,
    )


def hostile_request(text: str) -> DraftCampaignRequest:
    """An idea that brings `text` in every slot that the pages write out."""
    request = request_for(f"A mobile app {text} that helps children waste less food by tracking {text}")
    profile = request.profile
    for names in (profile.names, profile.audiences, profile.keywords):
        names.insert(0, text)
    profile.problem, profile.one_liner, profile.category_label = text, text, text
    profile.features.insert(0, common_pb2.Feature(id="hostile", title=text))
    return request


@asynccontextmanager
async def serving(pages: Mapping[str, View]) -> AsyncIterator[str]:
    """The views at their paths, each with its policy; the origin."""

    async def answer(request: web.Request) -> web.Response:
        view = pages[request.path]
        headers = {"Content-Security-Policy": view.csp}
        return web.Response(text=view.html, status=view.status, content_type="text/html", headers=headers)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def all_views(published: Published) -> dict[str, View]:
    """Every page that a visitor can be sent, by a path that says which."""
    views = Views(PageRenderer())
    now = datetime(2026, 11, 26, 8, tzinfo=UTC)
    base = f"{published.home}/yours/t"
    return {
        **{f"/{variant}": views.landing(published, variant, "f.1") for variant in "ab"},
        **{f"/problem/{p.value}": views.landing(published, "a", "f.1", p, "ada@example") for p in Problem},
        "/privacy": views.privacy(published),
        "/yours": views.yours(published, SIGN_UP, base),
        "/withdrawn": views.yours(published, replace(SIGN_UP, withdrawn_at=now), base),
        "/erased": views.yours(published, replace(SIGN_UP, email="", erased_at=now), base),
        **{f"/message/{kind.value.replace(' ', '-')}": views.message(kind, published) for kind in MessageKind},
        "/message/unknown": views.message(MessageKind.NOT_FOUND),
    }


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_axe_finds_nothing_on_any_page(scheme: Scheme) -> None:
    """axe-core reports no violation on any page, light and dark, and no page is wider than a phone."""
    pages = all_views(published_of(request_for(IDEAS["tutors"]), "tutors"))
    async with (
        serving(pages) as origin,
        chromium() as browser,
        visit(browser, origin, scheme=scheme, width=PHONE) as visitor,
    ):
        for path in pages:
            await visitor.see(path)
            assert await visitor.violations() == [], path
            assert not await visitor.overflows(), path


async def test_every_look_is_legible_to_axe() -> None:
    """The two themes of all reference ideas, each in the colours of its field, pass on a wide screen."""
    pages = {}
    for name, idea in IDEAS.items():
        pages[f"/{name}"] = Views(PageRenderer()).landing(published_of(request_for(idea), name), "b", "f.1")
    async with serving(pages) as origin, chromium() as browser:
        for scheme in SCHEMES:
            async with visit(browser, origin, scheme=scheme, width=DESKTOP) as visitor:
                for path in pages:
                    await visitor.see(path)
                    assert await visitor.violations() == [], f"{path} {scheme}"
                    assert not await visitor.overflows(), path


async def test_hostile_ideas_stay_text_and_break_no_layout() -> None:
    """No dialog, no error, no request elsewhere, no sideways scrolling, and the form is still there and ours."""
    pages = {}
    for name, text in HOSTILE.items():
        published = published_of(hostile_request(text), f"hostile-{name}")
        views = Views(PageRenderer())
        pages[f"/{name}/a"] = views.landing(published, "a", "f.1", Problem.EMAIL, text)
        pages[f"/{name}/privacy"] = views.privacy(published)
        pages[f"/{name}/yours"] = views.yours(
            published, replace(SIGN_UP, email=text, consent_text=text), "/p/x/yours/t"
        )
    async with serving(pages) as origin, chromium() as browser:
        for width in (PHONE, DESKTOP):
            async with visit(browser, origin, width=width) as visitor:
                for path in (p for p in pages if width == PHONE or p.endswith("/a")):
                    await visitor.see(path)
                    assert not await visitor.overflows(), f"{path} at {width}"
                    assert await visitor.page.locator("script, img, iframe").count() == 0, path
                    assert await visitor.page.locator("h1").count() == 1, path
                    if path.endswith("/a"):
                        assert await visitor.page.locator("[name=form]").get_attribute("value") == "f.1"
                        assert await visitor.page.locator("form button").is_visible()
