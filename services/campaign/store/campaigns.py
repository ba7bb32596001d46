"""Campaigns in the store: drafted, published, moved from status to status, read.

A status changes in the transaction that checks it, so that two callers cannot both be the one who changed it. Every
method raises PipelineError: CAMPAIGN_NOT_FOUND, CAMPAIGN_STATE, STORAGE_FULL, STORAGE_UNAVAILABLE.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.clock import Clock
from chassis.database import Database
from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2, errors_pb2
from pipeline.v1.campaign_pb2 import CampaignReading, CampaignResult, CampaignStatus, DraftCampaignRequest
from services.campaign.domain import names, status
from services.campaign.domain.status import Step
from services.campaign.store import schema

# Files of the draft that an export gives back as they were written; pages are rendered anew when they are published.
KEPT_FILES = ("campaign/ads.json", "campaign/ads.csv")


@dataclass(frozen=True)
class StoredCampaign:
    """A row of `campaigns`; times are microseconds since the epoch. The visitors' key stays in the store."""

    id: str
    tenant: str
    slug: str
    status: CampaignStatus.ValueType
    status_reason: str
    request: DraftCampaignRequest
    draft: CampaignResult
    plan_sha256: str
    budget_micros: int
    title: str
    page_url: str
    created_at: int
    published_at: int | None
    completed_at: int | None
    reading: CampaignReading | None

    @property
    def name(self) -> str:
        """`runs/{run}/campaign`."""
        return names.campaign_name(self.id)


@dataclass(frozen=True)
class Publication:
    """Everything that is fixed when a campaign goes online."""

    # HTML by path ("a", "b", "privacy").
    pages: Mapping[str, str]
    title: str
    consent_text: str
    consent_version: str
    adults_only: bool
    page_url: str
    plan_sha256: str
    budget_micros: int
    # Secret that visitors are hashed with.
    visitor_key: bytes


class CampaignStore:
    """The table `campaigns` and the pages of those that were published."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock

    async def keep_draft(
        self, campaign_id: str, tenant: str, request: DraftCampaignRequest, draft: CampaignResult
    ) -> bool:
        """Store a draft, replacing an earlier one; False where the campaign has been published and stays as it is."""
        title = request.profile.names[0] if request.profile.names else ""
        values = {
            "tenant": tenant,
            "slug": names.page_slug(title, campaign_id),
            "status": status.DRAFT,
            "request": _without_evidence(request).SerializeToString(deterministic=True),
            "draft": _without_pages(draft).SerializeToString(deterministic=True),
            "budget_micros": draft.plan.budget_micros,
            "title": title,
        }

        async def write(conn: AsyncConnection) -> bool:
            table = schema.campaigns
            found = (await conn.execute(select(table.c.status).where(table.c.id == campaign_id))).scalar()
            if found is None:
                await conn.execute(insert(table).values(id=campaign_id, created_at=self._now(), **values))
                return True
            if found != status.DRAFT:
                return False
            await conn.execute(update(table).where(table.c.id == campaign_id).values(**values))
            return True

        return await self.database.write(write)

    async def get(self, campaign_id: str) -> StoredCampaign:
        """The campaign as it stands."""
        async with self.database.read() as conn:
            return _stored(await _row(conn, campaign_id))

    async def list_campaigns(self, tenant: str, before: str, limit: int) -> list[StoredCampaign]:
        """Up to `limit` campaigns of a tenant (of all for ""), newest first, older than the id `before`."""
        query = select(schema.campaigns)
        if tenant:
            query = query.where(schema.campaigns.c.tenant == tenant)
        if before:
            query = query.where(schema.campaigns.c.id < before)
        async with self.database.read() as conn:
            found = await conn.execute(query.order_by(schema.campaigns.c.id.desc()).limit(limit))
            return [_stored(row) for row in found]

    async def running(self) -> list[str]:
        """Ids of the campaigns that run, oldest first."""
        table = schema.campaigns
        async with self.database.read() as conn:
            found = await conn.execute(select(table.c.id).where(table.c.status == status.RUNNING).order_by(table.c.id))
            return list(found.scalars())

    async def publish(
        self, campaign_id: str, publication: Publication, platforms: Sequence[str] = ()
    ) -> StoredCampaign:
        """Put a draft online: plan, pages, key, status and the platforms to set up in one transaction.

        A campaign that was published before keeps all of it and is RUNNING again where its set-up had failed.
        """

        async def write(conn: AsyncConnection) -> StoredCampaign:
            row = await _row(conn, campaign_id)
            following = status.after(Step.PUBLISH, row.status, names.campaign_name(campaign_id))
            await _ask_for(conn, campaign_id, platforms)
            if row.status != status.DRAFT:
                return await _update(conn, row, {"status": following, "status_reason": ""})
            await conn.execute(
                insert(schema.pages),
                [
                    {
                        "campaign_id": campaign_id,
                        "path": path,
                        "html": html,
                        "sha256": hashlib.sha256(html.encode()).hexdigest(),
                    }
                    for path, html in publication.pages.items()
                ],
            )
            values = {
                "status": following,
                "status_reason": "",
                "published_at": self._now(),
                "title": publication.title,
                "consent_text": publication.consent_text,
                "consent_version": publication.consent_version,
                "adults_only": publication.adults_only,
                "page_url": publication.page_url,
                "plan_sha256": publication.plan_sha256,
                "budget_micros": publication.budget_micros,
                "visitor_key": publication.visitor_key,
            }
            return await _update(conn, row, values)

        return await self.database.write(write)

    async def move(self, campaign_id: str, step: Step, reason: str = "") -> StoredCampaign:
        """Take a step that changes the status alone (pause, resume, fail); taken twice, the first reason stays."""

        async def write(conn: AsyncConnection) -> StoredCampaign:
            row = await _row(conn, campaign_id)
            following = status.after(step, row.status, names.campaign_name(campaign_id))
            if following == row.status and step is not Step.FAIL:
                return _stored(row)
            return await _update(conn, row, {"status": following, "status_reason": reason})

        return await self.database.write(write)

    async def complete(self, campaign_id: str, reading: CampaignReading, reason: str) -> StoredCampaign:
        """End the campaign: its last reading is kept and the key of its visitors is forgotten."""

        async def write(conn: AsyncConnection) -> StoredCampaign:
            row = await _row(conn, campaign_id)
            following = status.after(Step.COMPLETE, row.status, names.campaign_name(campaign_id))
            if row.status == following:
                return _stored(row)
            values = {
                "status": following,
                "status_reason": reason,
                "completed_at": self._now(),
                "visitor_key": None,
                "reading": _standing(row, reading).SerializeToString(deterministic=True),
            }
            return await _update(conn, row, values)

        return await self.database.write(write)

    async def keep_reading(self, campaign_id: str, reading: CampaignReading) -> CampaignReading:
        """Replace the last reading and return what is kept: that of a completed campaign, and a decision, stand."""

        async def write(conn: AsyncConnection) -> CampaignReading:
            table = schema.campaigns
            row = await _row(conn, campaign_id)
            if row.status == status.COMPLETED and row.reading is not None:
                return CampaignReading.FromString(row.reading)
            kept = _standing(row, reading)
            await conn.execute(
                update(table)
                .where(table.c.id == campaign_id)
                .values(reading=kept.SerializeToString(deterministic=True))
            )
            return kept

        return await self.database.write(write)

    async def answers(self) -> bool:
        """Whether the store can be read now."""
        try:
            async with self.database.read() as conn:
                await conn.execute(select(schema.schema_info.c.version))
        except PipelineError:
            return False
        return True

    def _now(self) -> int:
        return micros(self.clock.now())


def micros(moment: datetime) -> int:
    """Microseconds since the epoch."""
    return int(moment.timestamp() * 1_000_000)


def not_found(name: str) -> PipelineError:
    """CAMPAIGN_NOT_FOUND for a resource name."""
    return PipelineError(
        errors_pb2.ERROR_REASON_CAMPAIGN_NOT_FOUND,
        "No campaign has this name; a run makes one when it drafts its smoke test.",
        metadata={"campaign": name[:200]},
    )


async def _row(conn: AsyncConnection, campaign_id: str) -> Row[Any]:
    row = (await conn.execute(select(schema.campaigns).where(schema.campaigns.c.id == campaign_id))).one_or_none()
    if row is None:
        raise not_found(names.campaign_name(campaign_id))
    return row


def _standing(row: Row[Any], reading: CampaignReading) -> CampaignReading:
    """The reading with the decision that stands, which another process may have kept since this one began to read."""
    before = CampaignReading() if row.reading is None else CampaignReading.FromString(row.reading)
    if not before.is_final:
        return reading
    kept = CampaignReading()
    kept.CopyFrom(reading)
    kept.decision, kept.rule, kept.is_final = before.decision, before.rule, True
    kept.explanation = before.explanation
    return kept


async def _update(conn: AsyncConnection, row: Row[Any], values: Mapping[str, object]) -> StoredCampaign:
    await conn.execute(update(schema.campaigns).where(schema.campaigns.c.id == row.id).values(**values))
    return _stored(await _row(conn, row.id))


async def _ask_for(conn: AsyncConnection, campaign_id: str, platforms: Sequence[str]) -> None:
    """Remember which platforms were asked for, so that a publication that dies here goes on with the same ones."""
    if platforms:
        planned = campaign_pb2.PLATFORM_STATE_PLANNED
        rows = [
            {"campaign_id": campaign_id, "platform": name, "position": position, "state": planned}
            for position, name in enumerate(platforms)
        ]
        await conn.execute(sqlite_insert(schema.platforms).on_conflict_do_nothing(), rows)


def _stored(row: Row[Any]) -> StoredCampaign:
    return StoredCampaign(
        id=row.id,
        tenant=row.tenant,
        slug=row.slug,
        status=row.status,
        status_reason=row.status_reason,
        request=DraftCampaignRequest.FromString(row.request),
        draft=CampaignResult.FromString(row.draft),
        plan_sha256=row.plan_sha256,
        budget_micros=row.budget_micros,
        title=row.title,
        page_url=row.page_url,
        created_at=row.created_at,
        published_at=row.published_at,
        completed_at=row.completed_at,
        reading=None if row.reading is None else CampaignReading.FromString(row.reading),
    )


def _without_evidence(request: DraftCampaignRequest) -> DraftCampaignRequest:
    kept = DraftCampaignRequest()
    kept.CopyFrom(request)
    kept.ClearField("evidence")
    return kept


def _without_pages(draft: CampaignResult) -> CampaignResult:
    """The draft with its files listed, and the content of those that an export gives back."""
    kept = CampaignResult()
    kept.CopyFrom(draft)
    for artifact in kept.artifacts:
        if artifact.path not in KEPT_FILES:
            artifact.ClearField("content")
    return kept
