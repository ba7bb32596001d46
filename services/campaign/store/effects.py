"""What was set up on platforms: a row a step, on the disk before its request leaves and again after its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import CursorResult, Row, Update, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.clock import Clock
from chassis.database import Database
from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2, errors_pb2
from pipeline.v1.campaign_pb2 import PlatformState, SetupStepState
from services.campaign.providers.base import Step
from services.campaign.store.schema import platforms, steps

# Stored texts: a reason and its mend.
DETAIL_CHARS_MAX = 1_000


@dataclass(frozen=True)
class StoredStep:
    """A step as it is on the disk; `updated_at` in microseconds since the epoch."""

    key: str
    title: str
    state: SetupStepState.ValueType
    external_id: str
    attempts: int
    detail: str
    updated_at: int


@dataclass(frozen=True)
class StoredPlatform:
    """A platform of a campaign as it is on the disk; `spend_read_at` None where its spend was never read."""

    name: str
    state: PlatformState.ValueType
    detail: str
    spent_micros: int
    spend_read_at: int | None


class EffectStore:
    """Steps and platforms of campaigns. Raises STORAGE_UNAVAILABLE and STORAGE_FULL as the database does."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def platforms(self, campaign_id: str) -> list[StoredPlatform]:
        """In the order of their first set-up."""
        query = select(platforms).where(platforms.c.campaign_id == campaign_id).order_by(platforms.c.position)
        async with self._database.read() as conn:
            rows = (await conn.execute(query)).all()
        return [
            StoredPlatform(r.platform, PlatformState.ValueType(r.state), r.detail, r.spent_micros, r.spend_read_at)
            for r in rows
        ]

    async def steps(self, campaign_id: str, platform: str) -> list[StoredStep]:
        """In the order in which they are done."""
        query = select(steps).where(steps.c.campaign_id == campaign_id, steps.c.platform == platform)
        async with self._database.read() as conn:
            return [_step(row) for row in (await conn.execute(query.order_by(steps.c.position))).all()]

    async def step(self, campaign_id: str, key: str) -> StoredStep:
        """One step, which was planned before."""
        query = select(steps).where(steps.c.campaign_id == campaign_id, steps.c.key == key)
        async with self._database.read() as conn:
            return _step((await conn.execute(query)).one())

    async def plan(self, campaign_id: str, platform: str, planned: Sequence[Step]) -> None:
        """Rows for a platform and its steps; what has a row already stays as it is."""
        at = self._micros()

        async def write(conn: AsyncConnection) -> None:
            position = select(platforms.c.platform).where(platforms.c.campaign_id == campaign_id)
            count = len((await conn.execute(position)).all())
            row = {"campaign_id": campaign_id, "platform": platform, "position": count}
            state = campaign_pb2.PLATFORM_STATE_PLANNED
            await conn.execute(insert(platforms).values(**row, state=state).on_conflict_do_nothing())
            for number, step in enumerate(planned):
                values = {
                    "campaign_id": campaign_id,
                    "key": step.key,
                    "position": number,
                    "platform": platform,
                    "title": step.title,
                    "state": campaign_pb2.SETUP_STEP_STATE_PLANNED,
                    "updated_at": at,
                }
                await conn.execute(insert(steps).values(**values).on_conflict_do_nothing())

        await self._database.write(write)

    async def claim(self, campaign_id: str, seen: StoredStep) -> StoredStep:
        """Mark a step as sent, unless somebody else has done so since it was seen: ABORTED, and nothing may be sent."""
        claimed = StoredStep(
            seen.key,
            seen.title,
            campaign_pb2.SETUP_STEP_STATE_SENT,
            seen.external_id,
            seen.attempts + 1,
            "",
            self._micros(),
        )
        change = (
            update(steps)
            .where(steps.c.campaign_id == campaign_id, steps.c.key == seen.key)
            .where(steps.c.attempts == seen.attempts, steps.c.state == seen.state)
            .values(state=claimed.state, attempts=claimed.attempts, detail="", updated_at=claimed.updated_at)
        )

        async def write(conn: AsyncConnection) -> None:
            result: CursorResult[tuple[()]] = await conn.execute(change)
            if result.rowcount != 1:
                raise PipelineError(
                    errors_pb2.ERROR_REASON_REQUEST_IN_FLIGHT,
                    f"{seen.key} is being set up by another call; publish again when that has ended",
                    retry_after=1.0,
                )

        await self._database.write(write)
        return claimed

    async def keep_step(
        self,
        campaign_id: str,
        key: str,
        state: SetupStepState.ValueType,
        *,
        external_id: str | None = None,
        detail: str = "",
    ) -> None:
        """What has become of a step; without `external_id` the one it has stays."""
        values: dict[str, object] = {"state": state, "detail": _cut(detail), "updated_at": self._micros()}
        if external_id is not None:
            values["external_id"] = external_id
        change = update(steps).where(steps.c.campaign_id == campaign_id, steps.c.key == key).values(**values)
        await self._change(change)

    async def keep_platform(
        self, campaign_id: str, platform: str, state: PlatformState.ValueType | None = None, *, detail: str = ""
    ) -> None:
        """State and detail of a platform; None leaves the state."""
        values: dict[str, object] = {"detail": _cut(detail)}
        if state is not None:
            values["state"] = state
        await self._change(self._of(campaign_id, platform).values(**values))

    async def keep_spend(self, campaign_id: str, platform: str, spent_micros: int) -> None:
        """What a platform says it has spent, as of now."""
        values = {"spent_micros": spent_micros, "spend_read_at": self._micros()}
        await self._change(self._of(campaign_id, platform).values(**values))

    def _of(self, campaign_id: str, platform: str) -> Update:
        return update(platforms).where(platforms.c.campaign_id == campaign_id, platforms.c.platform == platform)

    async def _change(self, change: Update) -> None:
        async def write(conn: AsyncConnection) -> None:
            await conn.execute(change)

        await self._database.write(write)

    def _micros(self) -> int:
        return round(self._clock.now().timestamp() * 1_000_000)


def _step(row: Row[tuple[object, ...]]) -> StoredStep:
    return StoredStep(
        row.key,
        row.title,
        SetupStepState.ValueType(row.state),
        row.external_id,
        row.attempts,
        row.detail,
        row.updated_at,
    )


def _cut(text: str) -> str:
    return text if len(text) <= DETAIL_CHARS_MAX else text[: DETAIL_CHARS_MAX - 1] + "…"
