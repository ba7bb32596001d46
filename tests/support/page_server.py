"""The pages' server with one published campaign, and browsers that visit it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import Database
from chassis.testing import ManualClock
from pipeline.v1.campaign_pb2 import CampaignStatus
from services.campaign.http.app import PageSide
from services.campaign.http.contract import Published
from services.campaign.http.routes import PageRules, PageStores
from services.campaign.http.views import Views
from services.campaign.rendering import PageRenderer
from services.campaign.store import schema
from services.campaign.store.published import PublishedStore
from services.campaign.store.signups import SignupStore
from services.campaign.store.visits import VisitStore

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def form(self) -> str:
        """The form's token; "" without a form."""
        found = re.search(r'name="form" value="([^"]+)"', self.text)
        return found[1] if found else ""

    @property
    def variant(self) -> str:
        """Which page it is; "" for none of both."""
        found = re.search(r'data-variant="([ab])"', self.text)
        return found[1] if found else ""

    @property
    def link(self) -> str:
        """Where a form leads on to."""
        return self.headers.get("Location", "")

    @property
    def cookie(self) -> str:
        """The cookie as the browser sends it back; "" where none was set."""
        return self.headers.get("Set-Cookie", "").partition(";")[0]


@dataclass
class Pages:
    """A served campaign: asked as browsers ask, and looked into."""

    origin: str
    published: Published
    database: Database
    clock: ManualClock
    session: aiohttp.ClientSession

    async def ask(
        self, method: str, path: str, *, client: str = "198.51.100.7", agent: str = FIREFOX, **options: Any
    ) -> Answer:
        """One request from the address `client`; `headers` with the value None are left out."""
        headers = {"User-Agent": agent, "X-Forwarded-For": client, **options.pop("headers", {})}
        kept = {name: value for name, value in headers.items() if value is not None}
        url = self.origin + path
        async with self.session.request(method, url, headers=kept, allow_redirects=False, **options) as answer:
            return Answer(answer.status, await answer.text(), answer.headers.copy())

    async def visit(self, query: str = "", **who: Any) -> Answer:
        """The landing page."""
        return await self.ask("GET", self.published.home + query, **who)

    async def send(
        self, form: str, email: str = "ada@example.org", *, more: Mapping[str, str] = {}, **who: Any
    ) -> Answer:
        """The form, filled in as a person does, and `more`."""
        fields = {"form": form, "email": email, "consent": "yes", "website": "", **more}
        return await self.ask("POST", f"{self.published.home}/signup", data=fields, **who)

    async def sign_up(self, email: str = "ada@example.org", **who: Any) -> Answer:
        """Visit, read for a minute, sign up."""
        form = (await self.visit(**who)).form
        self.clock.advance(60)
        return await self.send(form, email, **who)

    async def rows(self, table: Any) -> list[Any]:
        """All of a table."""
        async with self.database.read() as conn:
            return list(await conn.execute(select(table)))

    async def excluded(self) -> dict[str, int]:
        """Visits that count for nothing, by reason."""
        return {row.reason: row.visits for row in await self.rows(schema.excluded)}

    async def exported(self) -> list[str]:
        """Addresses that a founder would write to."""
        people = await SignupStore(self.database, self.clock).reachable(self.published.id)
        return [person.email for person in people]

    async def becomes(self, status: CampaignStatus.ValueType, *, key: bytes | None) -> None:
        """Another status, seen by the server."""

        async def write(conn: AsyncConnection) -> None:
            await conn.execute(update(schema.campaigns).values(status=status, visitor_key=key))

        await self.database.write(write)
        self.clock.advance(2)


@asynccontextmanager
async def served_pages(folder: Path, published: Published, rules: PageRules | None = None) -> AsyncIterator[Pages]:
    """The server on a free port, behind one proxy that it trusts."""
    clock = ManualClock()
    database = schema.campaigns_database(folder / "campaigns.db")
    await database.open()
    await database.write(lambda conn: publish(conn, published))
    stores = PageStores(PublishedStore(database, clock), VisitStore(database, clock), SignupStore(database, clock))
    side = PageSide("127.0.0.1:0", stores, Views(PageRenderer()), clock, rules or PageRules(trusted_proxies=1))
    await side.start()
    jar = aiohttp.DummyCookieJar()
    try:
        # Without a User-Agent of its own: a test says what is sent.
        async with aiohttp.ClientSession(cookie_jar=jar, skip_auto_headers=["User-Agent"]) as session:
            yield Pages(side.address, published, database, clock, session)
    finally:
        await side.stop()
        await database.close()


async def publish(conn: AsyncConnection, published: Published) -> None:
    """The rows of a published campaign."""
    row = {
        "id": published.id,
        "tenant": "default",
        "slug": published.slug,
        "status": published.status,
        "request": b"",
        "draft": b"",
        "page_url": published.page_url,
        "visitor_key": published.visitor_key,
        "title": published.title,
        "consent_text": published.consent_text,
        "consent_version": published.consent_version,
        "adults_only": published.adults_only,
        "created_at": 1,
        "published_at": 1,
    }
    await conn.execute(insert(schema.campaigns).values(**row))
    pages = [
        {"campaign_id": published.id, "path": path, "html": html, "sha256": ""}
        for path, html in published.pages.items()
    ]
    await conn.execute(insert(schema.pages), pages)
