"""Landing pages in a real browser: readable for everybody, closed to what an idea may bring."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from sqlalchemy import func, select

from chassis.clock import SystemClock
from chassis.database import Database
from pipeline.v1 import common_pb2
from pipeline.v1.campaign_pb2 import DraftCampaignRequest
from services.campaign.http.app import PageSide
from services.campaign.http.contract import MessageKind, Problem, Published, View, YourData
from services.campaign.http.routes import PageRules, PageStores
from services.campaign.http.views import Views
from services.campaign.rendering import PageRenderer
from services.campaign.store import schema
from services.campaign.store.published import PublishedStore
from services.campaign.store.signups import SignupStore
from services.campaign.store.visits import VisitStore
from tests.support.browsers import DESKTOP, PHONE, SCHEMES, Scheme, chromium, visit
from tests.support.campaigns import IDEAS, request_for
from tests.support.page_server import publish
from tests.support.published import published_of

SIGN_UP = YourData("ada@example.org", datetime(2026, 11, 25, 23, 5, tzinfo=UTC), "I agree.", "1-abc", "a", "f00d" * 8)
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


@asynccontextmanager
async def page_server(folder: Path, published: Published) -> AsyncIterator[tuple[str, Database]]:
    """The pages' server with one published campaign in its store; origin and store."""
    database, clock = schema.campaigns_database(folder / "campaigns.db"), SystemClock()
    await database.open()
    await database.write(lambda conn: publish(conn, published))
    stores = PageStores(PublishedStore(database, clock), VisitStore(database, clock), SignupStore(database, clock))
    # A test fills in the form faster than a person.
    side = PageSide("127.0.0.1:0", stores, Views(PageRenderer()), clock, PageRules(form_seconds_min=0))
    await side.start()
    try:
        yield side.address, database
    finally:
        await side.stop()
        await database.close()


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_visitor_signs_up_looks_withdraws_and_erases(tmp_path: Path, scheme: Scheme) -> None:
    """Refused without consent, then signed up; own data seen, exported, withdrawn and erased, one step each."""
    published = published_of(request_for(IDEAS["tutors"]), "tutors")
    async with (
        page_server(tmp_path, published) as (origin, database),
        chromium() as browser,
        visit(browser, origin, scheme=scheme, width=PHONE) as visitor,
    ):
        page = visitor.page
        await visitor.see("/p/tutors")
        assert await page.context.cookies() == []
        await page.get_by_role("textbox", name="E-mail address").fill("grace@example.org")

        await page.locator("form").evaluate("form => { form.noValidate = true }")
        await page.get_by_role("button", name="Join the waiting list").click()
        assert "consent" in await page.get_by_role("alert").inner_text()
        assert await page.get_by_role("textbox", name="E-mail address").input_value() == "grace@example.org"
        assert await visitor.violations() == []
        assert await page.context.cookies() == []

        await page.get_by_role("link", name="Go to the field").click()
        await page.get_by_label("I agree that Ada Example").check()
        await page.get_by_label("I am 18 or older").check()
        await page.get_by_role("button", name="Join the waiting list").click()
        await page.get_by_role("heading", name="You are on the list").wait_for()
        text = await page.locator("main").inner_text()
        assert "grace@example.org" in text
        assert published.consent_text in text
        assert len(await page.context.cookies()) == 1
        assert await visitor.violations() == []
        assert not await visitor.overflows()

        async with page.expect_download() as download:
            await page.get_by_role("button", name="Export").click()
        told = json.loads((await (await download.value).path()).read_text())
        assert (told["email"], told["consent_text"]) == ("grace@example.org", published.consent_text)

        await page.get_by_role("button", name="Withdraw").click()
        await page.get_by_role("heading", name="You have left the list").wait_for()
        assert await page.get_by_role("button", name="Withdraw").count() == 0

        await page.get_by_role("button", name="Erase").click()
        await page.get_by_role("heading", name="Erased").wait_for()
        assert "grace@example.org" not in await page.content()
        assert await page.context.cookies() == []
        async with database.read() as conn:
            row = (await conn.execute(select(schema.signups))).one()
            assert (row.email, row.email_key) == (None, None)
            assert (await conn.execute(select(func.count()).select_from(schema.visitors))).scalar_one() == 1


async def test_both_pages_work_without_scripts(tmp_path: Path) -> None:
    """Whichever page a visitor is given, signing up takes a form and nothing else."""
    published = published_of(request_for(IDEAS["food"]), "larder")
    seen: set[str] = set()
    async with page_server(tmp_path, published) as (origin, database), chromium() as browser:
        for number in range(140, 160):
            async with visit(browser, origin, scripts=False, number=number) as visitor:
                await visitor.see("/p/larder")
                variant = await visitor.page.locator("html").get_attribute("data-variant")
                if variant in seen:
                    continue
                seen.add(str(variant))
                await visitor.page.locator("[name=email]").fill(f"{variant}@example.org")
                await visitor.page.locator("[name=consent]").check()
                await visitor.page.locator("form button").click()
                await visitor.page.get_by_role("heading", name="You are on the list").wait_for()
            if len(seen) == 2:
                break
        async with database.read() as conn:
            rows = await conn.execute(
                select(schema.signups.c.email, schema.signups.c.variant, schema.signups.c.counted)
            )
            assert sorted(map(tuple, rows)) == [("a@example.org", "a", True), ("b@example.org", "b", True)]
