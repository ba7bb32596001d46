"""The pages' server over HTTP: who is counted, who sees which page, and what a form leaves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.campaign.domain.reading.sample_ratio import sample_ratio_p
from services.campaign.http.contract import Published
from services.campaign.http.routes import COOKIE
from services.campaign.store import schema
from services.campaign.store.visits import VisitStore
from tests.support.campaigns import IDEAS, request_for
from tests.support.page_server import Pages, served_pages
from tests.support.published import published_of

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36"
ELSEWHERE = {"client": "203.0.113.9", "agent": CHROME}


@pytest.fixture(scope="module")
def published() -> Published:
    return published_of(request_for(IDEAS["food"]), "larder")


@pytest.fixture
async def pages(tmp_path: Path, published: Published) -> AsyncIterator[Pages]:
    async with served_pages(tmp_path, published) as served:
        yield served


# Who sees which page -------------------------------------------------------------------------------------------------


async def test_every_visitor_keeps_their_page_and_each_page_gets_half(pages: Pages) -> None:
    """80 visitors come twice: each sees one page, is one row, and the split is one of a fair coin."""
    clients = [f"198.51.100.{number}" for number in range(80)]
    first = [answer.variant for answer in await asyncio.gather(*(pages.visit(client=c) for c in clients))]
    again = [answer.variant for answer in await asyncio.gather(*(pages.visit(client=c) for c in clients))]
    assert first == again
    assert sample_ratio_p(first.count("a"), first.count("b")) > 0.001
    rows = await pages.rows(schema.visitors)
    assert len(rows) == 80
    assert {row.views for row in rows} == {2}


async def test_nothing_that_could_name_a_visitor_is_stored(pages: Pages) -> None:
    """Neither the address nor the browser's name is in the row: only a hash under the campaign's key."""
    await pages.visit(client="198.51.100.7")
    (row,) = await pages.rows(schema.visitors)
    assert "198.51.100.7" not in repr(row)
    assert "Firefox" not in repr(row)
    assert len(row.visitor) == 32


async def test_a_forged_proxy_entry_makes_no_new_visitor(pages: Pages) -> None:
    """Only what the trusted proxy saw counts: what a client writes before it is ignored."""
    for forged in ("192.0.2.1", "192.0.2.2", "junk, 192.0.2.3"):
        await pages.visit(client=f"{forged}, 198.51.100.7")
    assert len(await pages.rows(schema.visitors)) == 1


async def test_the_cookie_comes_with_consent_and_outlives_a_change_of_network(pages: Pages) -> None:
    """None before; then one for the page alone, closed to scripts; with it, another network is the same visitor."""
    before = await pages.visit()
    assert before.cookie == ""
    pages.clock.advance(60)
    signed = await pages.send(before.form)
    assert signed.cookie.startswith(f"{COOKIE}=")
    for attribute in ("HttpOnly", "SameSite=Lax", f"Path={pages.published.home}", "Secure", "Max-Age=7776000"):
        assert attribute in signed.headers["Set-Cookie"]
    moved = [await pages.visit(client=f"203.0.113.{n}", headers={"Cookie": signed.cookie}) for n in range(8)]
    assert {answer.variant for answer in moved} == {before.variant}
    (row,) = await pages.rows(schema.visitors)
    assert row.views == 9


async def test_a_cookie_that_is_not_ours_is_no_cookie(pages: Pages) -> None:
    """Tampered with or made up, the visitor is who they would be without it."""
    cookie = (await pages.sign_up()).cookie
    other = {"a": "b", "b": "a"}
    forged = cookie.replace(".a.", ".x.").replace(".b.", ".a.").replace(".x.", ".b.")
    assert forged != cookie
    for value in (forged, f"{COOKIE}=", f"{COOKIE}={'0' * 32}.a.{'0' * 32}", f"{COOKIE}=%ff"):
        await pages.visit(headers={"Cookie": value})
    (row,) = await pages.rows(schema.visitors)
    assert row.variant != other[row.variant]
    assert row.views == 5


# Who counts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("signal", ["Sec-GPC", "DNT"])
async def test_who_asks_not_to_be_counted_is_not(pages: Pages, signal: str) -> None:
    """The page comes, no hash is kept; a sign-up is kept and counts for neither page."""
    answer = await pages.visit(headers={signal: "1"})
    assert answer.status == 200
    assert await pages.rows(schema.visitors) == []
    assert await pages.excluded() == {"privacy_signal": 1}
    pages.clock.advance(60)
    await pages.send(answer.form, headers={signal: "1"})
    (row,) = await pages.rows(schema.signups)
    assert not row.counted
    counts = await VisitStore(pages.database, pages.clock).counts("larder")
    assert (counts.visitors(), counts.signups(), counts.bots) == (0, 0, 0)
    assert await pages.exported() == ["ada@example.org"]


@pytest.mark.parametrize(
    ("method", "headers", "reason"),
    [
        ("HEAD", {}, "method"),
        ("GET", {"User-Agent": None}, "no_user_agent"),
        ("GET", {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}, "robot"),
        ("GET", {"User-Agent": "facebookexternalhit/1.1"}, "robot"),
        ("GET", {"User-Agent": "curl/8.9"}, "robot"),
        ("GET", {"Sec-Purpose": "prefetch;prerender"}, "prefetch"),
        ("GET", {"X-Moz": "prefetch"}, "prefetch"),
    ],
)
async def test_programs_are_left_out_by_reason(
    pages: Pages, method: str, headers: dict[str, str | None], reason: str
) -> None:
    """They get the page, and a number a day says why they are no visitors."""
    answer = await pages.ask(method, pages.published.home, headers=headers)
    assert answer.status == 200
    assert await pages.rows(schema.visitors) == []
    assert await pages.excluded() == {reason: 1}


async def test_the_first_link_that_brought_a_visitor_is_kept(pages: Pages) -> None:
    """Five words of at most 100 characters without controls; the second visit changes none of them."""
    hostile = "x" * 150 + "%00%0a%E2%80%AE"
    await pages.visit(f"?utm_source=%00news%0aletter&utm_medium=email&utm_campaign={hostile}&utm_term=a+b&other=1")
    await pages.visit("?utm_source=second&utm_content=late")
    (row,) = await pages.rows(schema.visitors)
    assert (row.source, row.medium, row.term, row.content) == ("newsletter", "email", "a b", "")
    assert row.campaign == "x" * 100


# What a form leaves --------------------------------------------------------------------------------------------------


async def test_a_sign_up_keeps_the_consent_and_opens_the_persons_own_page(pages: Pages) -> None:
    """Address, words and version of the consent, page and hash; the export is what is shown is what is stored."""
    visited = await pages.visit()
    pages.clock.advance(60)
    signed = await pages.send(visited.form, " Ada@Example.ORG ")
    assert signed.status == 303
    (row,) = await pages.rows(schema.signups)
    assert (row.email, row.variant, row.counted) == ("ada@example.org", visited.variant, True)
    assert row.consent_text == pages.published.consent_text
    shown = (await pages.ask("GET", signed.link)).text
    told = json.loads((await pages.ask("GET", f"{signed.link}/export")).text)
    (visitor,) = await pages.rows(schema.visitors)
    assert told["visit_hash"] == row.visitor == visitor.visitor
    for kept in (told["email"], told["visit_hash"], told["consent_version"]):
        assert kept in shown
    stored = {row.email, row.variant, row.consent_text, row.consent_version, row.visitor}
    assert stored <= set(told.values())


async def test_the_secret_link_is_not_in_the_store(pages: Pages) -> None:
    """Whoever reads the store cannot open anybody's page: only a digest of the token is there."""
    token = (await pages.sign_up()).link.rpartition("/")[2]
    for table in (schema.signups, schema.submissions, schema.visitors):
        assert token not in repr(await pages.rows(table))


async def test_a_form_sent_twice_is_one_sign_up_with_one_answer(pages: Pages) -> None:
    """A double click, a reload, a try again after a broken line: the same link, one row."""
    form = (await pages.visit()).form
    pages.clock.advance(60)
    answers = await asyncio.gather(*(pages.send(form) for _ in range(4)))
    assert len({answer.link for answer in answers}) == 1
    assert len(await pages.rows(schema.signups)) == 1


async def test_one_address_from_many_browsers_at_once_is_one_sign_up(pages: Pages) -> None:
    """Everybody is answered alike; one of them is the sign-up, and it is exported once."""
    forms = [(await pages.visit(client=f"198.51.100.{n}")).form for n in range(12)]
    pages.clock.advance(60)
    answers = await asyncio.gather(*(pages.send(form, client=f"198.51.100.{n}") for n, form in enumerate(forms)))
    assert {answer.status for answer in answers} == {303}
    assert len({answer.link for answer in answers}) == 12
    assert [row.repeat_of is None for row in await pages.rows(schema.signups)].count(True) == 1
    assert await pages.exported() == ["ada@example.org"]
    counts = await VisitStore(pages.database, pages.clock).counts("larder")
    assert counts.signups() == 1


async def test_whoever_knows_an_address_cannot_remove_it(pages: Pages) -> None:
    """The second link looks like the first and withdraws and erases only itself."""
    first = await pages.sign_up()
    second = await pages.sign_up(**ELSEWHERE)
    assert (first.status, len(first.link), sorted(first.headers)) == (
        second.status,
        len(second.link),
        sorted(second.headers),
    )
    one, two = [(await pages.ask("GET", answer.link)).text for answer in (first, second)]
    assert one.count("<form") == two.count("<form")
    for step in ("withdraw", "erase"):
        assert (await pages.ask("POST", f"{second.link}/{step}")).status == 303
    assert await pages.exported() == ["ada@example.org"]
    assert "ada@example.org" in (await pages.ask("GET", first.link)).text


async def test_withdrawing_is_one_step_and_consent_can_be_given_anew(pages: Pages) -> None:
    """Gone from the list at once; the same address signs up again and is there once."""
    first = await pages.sign_up()
    assert (await pages.ask("POST", f"{first.link}/withdraw")).link == first.link
    assert await pages.exported() == []
    assert "marked as withdrawn" in (await pages.ask("GET", first.link)).text
    again = await pages.sign_up()
    assert again.link != first.link
    assert await pages.exported() == ["ada@example.org"]
    counts = await VisitStore(pages.database, pages.clock).counts("larder")
    assert counts.signups() == 1, "one person, whatever they did in between"


async def test_erasing_takes_every_copy_of_the_address(pages: Pages) -> None:
    """What was withdrawn before and what other browsers repeated goes too; the number stays."""
    first = await pages.sign_up()
    await pages.ask("POST", f"{first.link}/withdraw")
    current = await pages.sign_up()
    repeat = await pages.sign_up(**ELSEWHERE)
    erased = await pages.ask("POST", f"{current.link}/erase")
    assert (erased.status, "Max-Age=0" in erased.headers["Set-Cookie"]) == (303, True)
    rows = await pages.rows(schema.signups)
    assert len(rows) == 3
    assert {(row.email, row.email_key) for row in rows} == {(None, None)}
    for link in (first.link, current.link, repeat.link):
        assert "Erased" in (await pages.ask("GET", link)).text
    told = json.loads((await pages.ask("GET", f"{current.link}/export")).text)
    assert told["email"] is None
    assert await pages.exported() == []
    counts = await VisitStore(pages.database, pages.clock).counts("larder")
    assert counts.signups() == 1


async def test_an_old_link_cannot_erase_a_sign_up_that_came_later(pages: Pages) -> None:
    """Somebody signs a stranger up and withdraws; the stranger signs up: the old link does not reach that."""
    old = await pages.sign_up(**ELSEWHERE)
    await pages.ask("POST", f"{old.link}/withdraw")
    await pages.sign_up()
    await pages.ask("POST", f"{old.link}/erase")
    assert await pages.exported() == ["ada@example.org"]


async def test_programs_that_fill_in_forms_are_answered_alike_and_kept_nowhere(pages: Pages) -> None:
    """The hidden field, or no time to read: the same answer as a person's, and a number a day."""
    person = await pages.sign_up()
    form = (await pages.visit(**ELSEWHERE)).form
    fast = await pages.send(form, "fast@example.org", **ELSEWHERE)
    pages.clock.advance(60)
    filled = await pages.send(form, "trap@example.org", more={"website": "http://spam.example"}, **ELSEWHERE)
    for answer in (fast, filled):
        assert (answer.status, len(answer.link), sorted(answer.headers)) == (
            person.status,
            len(person.link),
            sorted(person.headers),
        )
    assert await pages.exported() == ["ada@example.org"]
    assert len(await pages.rows(schema.submissions)) == 1
    assert await pages.excluded() == {"too_fast": 1, "honeypot": 1}


@pytest.mark.parametrize(
    ("email", "more"),
    [
        ("ada@", {}),
        ("ada@localhost", {}),
        ("<script>@x.org", {}),
        ("a" * 300 + "@x.org", {}),
        ("ada@x.org", {"consent": ""}),
    ],
)
async def test_a_form_that_lacks_something_comes_back_and_keeps_nothing(
    pages: Pages, email: str, more: dict[str, str]
) -> None:
    """422 with the page of the same visitor and a form that works."""
    visited = await pages.visit()
    pages.clock.advance(60)
    refused = await pages.send(visited.form, email, more=more)
    assert (refused.status, refused.variant, refused.cookie) == (422, visited.variant, "")
    assert await pages.rows(schema.signups) == []
    assert (await pages.send(refused.form)).status == 303
    assert len(await pages.rows(schema.visitors)) == 1
