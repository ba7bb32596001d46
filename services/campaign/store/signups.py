"""Sign-ups in the store: made once, withdrawn, exported and erased by the person's own link.

One address is one sign-up. Somebody who sends an address that is there already gets an answer of the same kind with a
link of its own, which shows and removes what that form sent and nothing else: whoever knows an address can neither
learn that it signed up nor remove it. Erasing the sign-up itself removes those forms too, and what the same address had
signed up and withdrawn before.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, insert, or_, select, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.clock import Clock
from chassis.database import Database
from services.campaign.domain.visiting import Form, email_key, yours_token
from services.campaign.http.contract import Published, YourData
from services.campaign.live.ports import SignupRow
from services.campaign.store import schema
from services.campaign.store.visits import day_of


@dataclass(frozen=True)
class Made:
    """What a form led to: the token of the person's own page, and whether a sign-up was made that was not there."""

    token: str
    is_new: bool


class SignupStore:
    """The table `signups`. Every method raises PipelineError: STORAGE_FULL, STORAGE_UNAVAILABLE."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def sign_up(self, published: Published, form: Form, email: str) -> Made:
        """Keep an address; on the disk when this returns. The same form sent twice gets the same answer.

        Only the form itself proves who sent it: a browser behind the same address is not the same person. So nobody
        gets the link of an earlier sign-up by knowing its address.
        """
        key = published.visitor_key
        assert key is not None, "only a campaign that goes on takes sign-ups"
        address_key = email_key(key, email)
        now = self._clock.now()

        async def write(conn: AsyncConnection) -> Made:
            before = await _answered(conn, published.id, form.nonce)
            if before is not None:
                if before.email == email:
                    return Made(yours_token(key, before.id), is_new=False)
                # Sent back to mend a slip: what was mistyped is nobody's address to keep.
                await _erase(conn, published.id, before, _micros(now))
            earlier = await _of_address(conn, published.id, address_key)
            signup_id = secrets.token_hex(8)
            again = earlier is not None and earlier.withdrawn_at is not None
            if earlier is not None and again:
                # Consent given anew, after it was withdrawn: this is the sign-up now, and it can erase the older one.
                await _follow(conn, published.id, earlier.id, signup_id)
            token = yours_token(key, signup_id)
            takes_part = earlier is None or again
            await conn.execute(
                insert(schema.signups).values(
                    campaign_id=published.id,
                    id=signup_id,
                    visitor=form.visitor if form.counted else "",
                    variant=form.variant,
                    counted=form.counted,
                    repeat_of=None if takes_part or earlier is None else earlier.id,
                    email=email,
                    email_key=address_key if takes_part else None,
                    token_sha256=_digest(token),
                    consent_text=published.consent_text,
                    consent_version=published.consent_version,
                    signed_up_at=_micros(now),
                    day=day_of(now),
                )
            )
            await _remember(conn, published.id, form.nonce, signup_id, now)
            return Made(token, is_new=takes_part)

        return await self._database.write(write)

    async def of_token(self, campaign_id: str, token: str) -> YourData | None:
        """What is kept under a token; None for one that is not known."""
        async with self._database.read() as conn:
            row = await _of_token(conn, campaign_id, token)
        return None if row is None else _yours(row)

    async def withdraw(self, campaign_id: str, token: str) -> YourData | None:
        """The address is not used from now on. Done twice, the first time stands."""

        async def write(conn: AsyncConnection) -> YourData | None:
            row = await _of_token(conn, campaign_id, token)
            if row is None:
                return None
            if row.withdrawn_at is None:
                await _set(conn, row, withdrawn_at=_micros(self._clock.now()))
            return _yours(await _of_token(conn, campaign_id, token))

        return await self._database.write(write)

    async def erase(self, campaign_id: str, token: str) -> YourData | None:
        """The address is gone, also from forms that repeated it; a number without a person stays."""

        async def write(conn: AsyncConnection) -> YourData | None:
            row = await _of_token(conn, campaign_id, token)
            if row is None:
                return None
            if row.erased_at is None:
                await _erase(conn, campaign_id, row, _micros(self._clock.now()))
            return _yours(await _of_token(conn, campaign_id, token))

        return await self._database.write(write)

    async def reachable(self, campaign_id: str) -> Sequence[SignupRow]:
        """Those who may be written to: neither withdrawn nor erased, each address once, in their order."""
        table = schema.signups
        query = (
            select(table)
            .where(
                table.c.campaign_id == campaign_id,
                table.c.email.is_not(None),
                table.c.withdrawn_at.is_(None),
                table.c.repeat_of.is_(None),
            )
            .order_by(table.c.signed_up_at, table.c.id)
        )
        async with self._database.read() as conn:
            return [
                SignupRow(row.email, row.variant, _moment(row.signed_up_at), row.consent_version, row.consent_text)
                for row in await conn.execute(query)
            ]


async def _answered(conn: AsyncConnection, campaign_id: str, nonce: str) -> Row[Any] | None:
    """The sign-up that a form led to."""
    forms, table = schema.submissions, schema.signups
    query = (
        select(table)
        .join(forms, (forms.c.campaign_id == table.c.campaign_id) & (forms.c.signup_id == table.c.id))
        .where(forms.c.campaign_id == campaign_id, forms.c.nonce == nonce)
    )
    return (await conn.execute(query)).one_or_none()


async def _erase(conn: AsyncConnection, campaign_id: str, row: Row[Any], now: int) -> None:
    """Remove the address from the row and from those that repeat it."""
    table = schema.signups
    await conn.execute(
        update(table)
        .where(table.c.campaign_id == campaign_id, or_(table.c.id == row.id, table.c.repeat_of == row.id))
        .values(email=None, email_key=None, erased_at=now, withdrawn_at=row.withdrawn_at or now)
    )


async def _follow(conn: AsyncConnection, campaign_id: str, older: str, newer: str) -> None:
    """Make `newer` the sign-up of an address that `older` was: one address, one sign-up, one erasure."""
    table = schema.signups
    await conn.execute(
        update(table)
        .where(table.c.campaign_id == campaign_id, or_(table.c.id == older, table.c.repeat_of == older))
        .values(email_key=None, repeat_of=newer)
    )


async def _of_address(conn: AsyncConnection, campaign_id: str, address_key: str) -> Row[Any] | None:
    table = schema.signups
    query = select(table).where(table.c.campaign_id == campaign_id, table.c.email_key == address_key)
    return (await conn.execute(query)).one_or_none()


async def _of_token(conn: AsyncConnection, campaign_id: str, token: str) -> Row[Any] | None:
    table = schema.signups
    query = select(table).where(table.c.campaign_id == campaign_id, table.c.token_sha256 == _digest(token))
    return (await conn.execute(query)).one_or_none()


async def _remember(conn: AsyncConnection, campaign_id: str, nonce: str, signup_id: str, now: datetime) -> None:
    row = {"campaign_id": campaign_id, "nonce": nonce, "signup_id": signup_id, "at": _micros(now)}
    newest = sqlite_insert(schema.submissions).values(**row)
    await conn.execute(
        newest.on_conflict_do_update(index_elements=["campaign_id", "nonce"], set_={"signup_id": signup_id})
    )


async def _set(conn: AsyncConnection, row: Row[Any], **values: object) -> None:
    table = schema.signups
    await conn.execute(
        update(table).where(table.c.campaign_id == row.campaign_id, table.c.id == row.id).values(**values)
    )


def _yours(row: Row[Any] | None) -> YourData:
    assert row is not None
    return YourData(
        email=row.email or "",
        signed_up_at=_moment(row.signed_up_at),
        consent_text=row.consent_text,
        consent_version=row.consent_version,
        variant=row.variant,
        visitor=row.visitor,
        withdrawn_at=None if row.withdrawn_at is None else _moment(row.withdrawn_at),
        erased_at=None if row.erased_at is None else _moment(row.erased_at),
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _micros(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)


def _moment(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1_000_000, UTC)
