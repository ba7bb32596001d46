"""Who may see and remove a sign-up, and that an address is one person's one sign-up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import Database
from chassis.testing import ManualClock
from pipeline.v1 import campaign_pb2
from services.campaign.domain.visiting import Form, Origin
from services.campaign.http.contract import Published
from services.campaign.store import schema
from services.campaign.store.signups import SignupStore
from services.campaign.store.visits import VisitStore

ADA, BOB = "ada@example.org", "bob@example.org"
PUBLISHED = Published(
    id="01j9",
    slug="larder",
    title="Larder",
    status=campaign_pb2.CAMPAIGN_STATUS_RUNNING,
    visitor_key=b"k" * 32,
    pages={},
    consent_text="I agree.",
    consent_version="1-x",
    adults_only=False,
)


class Kit:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = ManualClock()
        self.signups = SignupStore(database, self.clock)
        self.visits = VisitStore(database, self.clock)
        self.forms = 0

    async def form(self, visitor: str = "v1", *, counted: bool = True) -> Form:
        """A visit, and the form on its page."""
        self.forms += 1
        if counted:
            await self.visits.visit(PUBLISHED.id, visitor, "a", Origin())
        return Form(f"{self.forms:016x}", visitor, "a", counted, 0)

    async def sign_up(self, email: str, visitor: str = "v1") -> str:
        return (await self.signups.sign_up(PUBLISHED, await self.form(visitor), email)).token

    async def addresses(self) -> list[str | None]:
        async with self.database.read() as conn:
            return sorted((await conn.execute(select(schema.signups.c.email))).scalars(), key=str)

    async def exported(self) -> list[str]:
        return [row.email for row in await self.signups.reachable(PUBLISHED.id)]

    async def counted(self) -> int:
        return (await self.visits.counts(PUBLISHED.id)).signups()


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    database = schema.campaigns_database(tmp_path / "campaigns.db")
    await database.open()

    async def write(conn: AsyncConnection) -> None:
        row = {"id": PUBLISHED.id, "tenant": "t", "slug": "larder", "status": 2, "request": b"", "draft": b""}
        await conn.execute(insert(schema.campaigns).values(created_at=0, **row))

    await database.write(write)
    yield Kit(database)
    await database.close()


async def test_a_form_sent_twice_is_one_signup(kit: Kit) -> None:
    """Both answers lead to the same page, and one row is kept."""
    form = await kit.form()
    one, two = [await kit.signups.sign_up(PUBLISHED, form, ADA) for _ in range(2)]
    assert (one.token, one.is_new, two.is_new) == (two.token, True, False)
    assert await kit.addresses() == [ADA]


async def test_a_form_sent_back_with_another_address_mends_a_slip(kit: Kit) -> None:
    """The corrected address is the sign-up; the mistyped one, somebody else's perhaps, is gone."""
    form = await kit.form()
    await kit.signups.sign_up(PUBLISHED, form, "ada@exmaple.org")
    await kit.signups.sign_up(PUBLISHED, form, ADA)
    assert await kit.exported() == [ADA]
    assert await kit.addresses() == [None, ADA]
    assert await kit.counted() == 1


@pytest.mark.parametrize("visitor", ["v1", "v2"])
async def test_knowing_an_address_gives_no_power_over_its_signup(kit: Kit, visitor: str) -> None:
    """Whoever repeats an address, on the same network and browser or not, can only remove what their form sent."""
    first = await kit.sign_up(ADA)
    second = await kit.sign_up(ADA, visitor)
    assert second != first
    assert await kit.exported() == [ADA]
    await kit.signups.erase(PUBLISHED.id, second)
    assert await kit.exported() == [ADA]
    assert (await kit.signups.of_token(PUBLISHED.id, first)).email == ADA  # type: ignore[union-attr]
    assert await kit.counted() == 1


async def test_erasing_removes_the_address_everywhere(kit: Kit) -> None:
    """The sign-up's own link also clears forms that repeated the address, and what was withdrawn before."""
    withdrawn = await kit.sign_up(ADA, "v1")
    await kit.signups.withdraw(PUBLISHED.id, withdrawn)
    assert await kit.exported() == []
    now = await kit.sign_up(ADA, "v2")
    await kit.sign_up(ADA, "v3")
    assert await kit.exported() == [ADA]
    assert await kit.counted() == 1
    await kit.signups.erase(PUBLISHED.id, now)
    assert await kit.addresses() == [None, None, None]
    assert await kit.counted() == 1


async def test_an_erased_person_may_come_back(kit: Kit) -> None:
    """After an erasure the address is a new sign-up like any other."""
    await kit.signups.erase(PUBLISHED.id, await kit.sign_up(ADA))
    again = await kit.sign_up(ADA)
    assert await kit.exported() == [ADA]
    assert (await kit.signups.of_token(PUBLISHED.id, again)).erased_at is None  # type: ignore[union-attr]


async def test_who_asks_not_to_be_counted_leaves_no_hash(kit: Kit) -> None:
    """Their address is kept, as they asked; nothing ties it to a visit, and the test does not count it."""
    form = await kit.form("v9", counted=False)
    token = (await kit.signups.sign_up(PUBLISHED, form, BOB)).token
    assert (await kit.signups.of_token(PUBLISHED.id, token)).visitor == ""  # type: ignore[union-attr]
    assert await kit.exported() == [BOB]
    assert await kit.counted() == 0


async def test_steps_may_be_repeated(kit: Kit) -> None:
    """Withdrawing or erasing twice changes nothing more, and unknown links lead nowhere."""
    token = await kit.sign_up(ADA)
    first = await kit.signups.withdraw(PUBLISHED.id, token)
    kit.clock.advance(60)
    assert await kit.signups.withdraw(PUBLISHED.id, token) == first
    gone = await kit.signups.erase(PUBLISHED.id, token)
    kit.clock.advance(60)
    assert await kit.signups.erase(PUBLISHED.id, token) == gone
    assert await kit.signups.erase(PUBLISHED.id, "0" * 64) is None
