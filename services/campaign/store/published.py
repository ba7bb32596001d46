"""Published campaigns as the pages' server reads them; a status that changed is seen within a second."""

from __future__ import annotations

from sqlalchemy import select

from chassis.clock import Clock
from chassis.database import Database
from services.campaign.http.contract import Published
from services.campaign.store import schema

CACHE_SECONDS = 1.0
# Each holds four pages of at most 50 kB.
CACHE_SIZE = 200


class PublishedStore:
    """Reads campaigns by their slug."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._cache: dict[str, tuple[float, Published]] = {}

    async def by_slug(self, slug: str) -> Published | None:
        """The published campaign of a slug; None for a draft or nothing."""
        now = self._clock.monotonic()
        kept = self._cache.get(slug)
        if kept is not None and now - kept[0] < CACHE_SECONDS:
            return kept[1]
        found = await self._load(slug)
        self._cache.pop(slug, None)
        if found is not None:
            if len(self._cache) >= CACHE_SIZE:
                del self._cache[next(iter(self._cache))]
            self._cache[slug] = (now, found)
        return found

    async def _load(self, slug: str) -> Published | None:
        table = schema.campaigns
        async with self._database.read() as conn:
            row = (
                await conn.execute(select(table).where(table.c.slug == slug, table.c.published_at.is_not(None)))
            ).one_or_none()
            if row is None:
                return None
            pages = await conn.execute(
                select(schema.pages.c.path, schema.pages.c.html).where(schema.pages.c.campaign_id == row.id)
            )
            return Published(
                id=row.id,
                slug=row.slug,
                title=row.title,
                status=row.status,
                visitor_key=row.visitor_key,
                pages={page.path: page.html for page in pages},
                consent_text=row.consent_text,
                consent_version=row.consent_version,
                adults_only=row.adults_only,
                page_url=row.page_url,
            )
