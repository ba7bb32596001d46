"""The pages' server over HTTP: who is counted, who sees which page, what a form leaves, and what is refused."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import Database
from pipeline.v1 import campaign_pb2
from services.campaign.domain.reading.sample_ratio import sample_ratio_p
from services.campaign.http.contract import Published
from services.campaign.http.routes import COOKIE, PageRules
from services.campaign.http.throttle import Rate
from services.campaign.store import schema
from services.campaign.store.visits import VisitStore
from tests.support.campaigns import IDEAS, request_for
from tests.support.page_server import FIREFOX, Answer, Pages, served_pages
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


# What is refused -----------------------------------------------------------------------------------------------------


async def test_a_flood_is_told_to_wait_and_others_are_not(tmp_path: Path, published: Published) -> None:
    """429 with Retry-After after the burst, for that client alone, until the time is over."""
    rules = PageRules(trusted_proxies=1, rate=Rate(burst=3, per_minute=6))
    async with served_pages(tmp_path, published, rules) as pages:
        form = (await pages.visit()).form
        other = (await pages.visit(**ELSEWHERE)).form
        pages.clock.advance(60)
        answers = [await pages.send(form) for _ in range(5)]
        assert [answer.status for answer in answers] == [303, 303, 303, 429, 429]
        wait = int(answers[-1].headers["Retry-After"])
        assert 1 <= wait <= 11
        assert (await pages.send(other, "grace@example.org", **ELSEWHERE)).status == 303
        pages.clock.advance(wait)
        assert (await pages.send(form)).status == 303
        assert len(await pages.rows(schema.signups)) == 2


async def test_one_ipv6_network_is_one_client_to_the_limit(tmp_path: Path, published: Published) -> None:
    """A customer has a /64: another address of it is no fresh start."""
    rules = PageRules(trusted_proxies=1, rate=Rate(burst=1, per_minute=1))
    async with served_pages(tmp_path, published, rules) as pages:
        form = (await pages.visit()).form
        pages.clock.advance(1)
        clients = ("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1")
        assert [(await pages.send(form, client=client)).status for client in clients] == [303, 429, 303]


@pytest.mark.parametrize("form", ["", "x", "0" * 4000, "a.b.c.d.e.f", "\u202e" * 90])
async def test_a_form_that_is_not_ours_is_refused(pages: Pages, form: str) -> None:
    """Made up, cut or tampered with: 400, and a fresh form is offered."""
    answer = await pages.send(form)
    assert (answer.status, "Open a fresh form" in answer.text) == (400, True)
    assert await pages.rows(schema.signups) == []


async def test_a_form_is_good_for_a_day_and_as_it_was_signed(pages: Pages) -> None:
    """Neither its page nor its number can be changed, and after a day it has expired."""
    form = (await pages.visit()).form
    pages.clock.advance(60)
    nonce, _, rest = form.partition(".")
    swapped = form.replace(".a.", ".?.").replace(".b.", ".a.").replace(".?.", ".b.")
    for forged in (f"{'0' * len(nonce)}.{rest}", swapped):
        assert (await pages.send(forged)).status == 400
    pages.clock.advance(86_400)
    assert (await pages.send(form)).status == 400
    assert await pages.rows(schema.signups) == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://try.example.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("page_url", ["https://try.example/p/larder", ""])
async def test_another_sites_form_is_refused(
    tmp_path: Path, published: Published, headers: dict[str, str], page_url: str
) -> None:
    """403 for a sign-up as for a withdrawal, with and without a public address; nothing is done."""
    async with served_pages(tmp_path, replace(published, page_url=page_url)) as pages:
        signed = await pages.sign_up()
        form = (await pages.visit(**ELSEWHERE)).form
        pages.clock.advance(60)
        assert (await pages.send(form, "grace@example.org", headers=headers, **ELSEWHERE)).status == 403
        for step in ("withdraw", "erase"):
            assert (await pages.ask("POST", f"{signed.link}/{step}", headers=headers)).status == 403
        assert await pages.exported() == ["ada@example.org"]


async def test_the_pages_own_form_comes_with_its_origin(pages: Pages) -> None:
    """The public address, or the one that was asked; browsers send either."""
    form = (await pages.visit()).form
    pages.clock.advance(60)
    for origin in ("https://try.example", pages.origin):
        headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
        assert (await pages.send(form, headers=headers)).status == 303


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"form=" + b"x" * 20_000, "application/x-www-form-urlencoded", 413),
        (b'{"email": "ada@example.org"}', "application/json", 400),
        (
            b"--b\r\nContent-Disposition: form-data; name=form\r\n\r\nx\r\n--b--\r\n",
            "multipart/form-data; boundary=b",
            400,
        ),
        (b"email=%ff%fe&form=%00", "application/x-www-form-urlencoded", 400),
        (b"email=a", "application/x-www-form-urlencoded; charset=nonsense", 400),
        (b"", "application/x-www-form-urlencoded", 400),
    ],
)
async def test_a_body_that_no_form_of_ours_sends_is_refused(pages: Pages, body: bytes, kind: str, status: int) -> None:
    """Too large, of another kind, or not text: a page that says so."""
    answer = await pages.ask("POST", f"{pages.published.home}/signup", data=body, headers={"Content-Type": kind})
    assert answer.status == status
    assert await pages.rows(schema.signups) == []


async def test_a_body_that_does_not_arrive_is_not_waited_for(tmp_path: Path, published: Published) -> None:
    """A sender that stops in the middle is answered when its time is over."""
    rules = PageRules(receive_seconds=0.05)
    async with served_pages(tmp_path, published, rules) as pages:
        host, _, port = pages.origin.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"POST {pages.published.home}/signup HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 500\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n\r\nform=1".encode()
        )
        async with asyncio.timeout(5):
            assert b" 400 " in await reader.readline()
        writer.transport.abort()
        assert (await pages.visit()).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/p/",
        "/p/unknown",
        "/p/LARDER",
        "/p/larder%00",
        "/p/larder'--",
        "/p/..%2f..%2fetc%2fpasswd",
        "/p/" + "a" * 3000,
        "/p/larder/yours/" + "0" * 64,
        "/p/larder/yours/" + "0" * 63,
        "/p/larder/yours/" + "%F0" * 64,
        "/p/larder/yours/" + "0" * 64 + "/export",
    ],
)
async def test_what_is_not_there_is_404_in_a_page_of_ours(pages: Pages, path: str) -> None:
    """Whatever the address, the answer is the same kind of page."""
    answer = await pages.ask("GET", path)
    assert (answer.status, "There is nothing here" in answer.text) == (404, True)


async def test_a_link_opens_nothing_of_another_campaign(pages: Pages, tmp_path: Path, published: Published) -> None:
    """The token is good under its own page only."""
    signed = await pages.sign_up()
    other = replace(published, id="other", slug="other")
    (tmp_path / "b").mkdir()
    async with served_pages(tmp_path / "b", other) as elsewhere:
        assert (await elsewhere.ask("GET", signed.link.replace("larder", "other"))).status == 404


# When the campaign does not run --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "key", "answered"),
    [
        (campaign_pb2.CAMPAIGN_STATUS_PAUSED, b"k" * 32, 503),
        (campaign_pb2.CAMPAIGN_STATUS_FAILED, b"k" * 32, 503),
        (campaign_pb2.CAMPAIGN_STATUS_COMPLETED, None, 410),
    ],
)
async def test_a_page_that_does_not_run_says_so_and_keeps_peoples_rights(
    pages: Pages, status: campaign_pb2.CampaignStatus.ValueType, key: bytes | None, answered: int
) -> None:
    """No visit, no sign-up; one's own page, export and erasure work, without the key too."""
    signed = await pages.sign_up()
    form = (await pages.visit(**ELSEWHERE)).form
    await pages.becomes(status, key=key)
    assert (await pages.visit(client="192.0.2.77")).status == answered
    assert (await pages.send(form, "late@example.org", **ELSEWHERE)).status == answered
    assert len(await pages.rows(schema.visitors)) == 2
    assert await pages.exported() == ["ada@example.org"]
    assert (await pages.ask("GET", f"{pages.published.home}/privacy")).status == 200
    assert "ada@example.org" in (await pages.ask("GET", f"{signed.link}/export")).text
    assert (await pages.ask("POST", f"{signed.link}/erase")).status == 303
    assert await pages.exported() == []


# When something fails ------------------------------------------------------------------------------------------------


async def test_a_full_disk_is_said_and_nothing_is_claimed(pages: Pages, caplog: pytest.LogCaptureFixture) -> None:
    """503 with Retry-After and no cookie for visit and form; what was answered stays, and the same form works later."""
    forms = {f"person{n}@example.org": (await pages.visit(client=f"203.0.113.{n}")).form for n in range(30)}
    pages.clock.advance(60)
    await grow(pages.database, by_pages=0)
    answered: list[str] = []
    for number, (email, form) in enumerate(forms.items()):
        refused = await pages.send(form, email, client=f"203.0.113.{number}")
        if refused.status == 503:
            break
        assert refused.status == 303
        answered.append(email)
    assert (refused.status, refused.cookie, refused.link) == (503, "", "")
    assert int(refused.headers["Retry-After"]) >= 1
    assert email not in caplog.text, "what could not be kept is not kept in the log instead"
    assert sorted(await pages.exported()) == sorted(answered)
    await fill(pages)
    assert (await pages.ask("GET", f"{pages.published.home}/privacy")).status == 200
    await grow(pages.database, by_pages=1000)
    assert (await pages.send(form, email, client=f"203.0.113.{number}")).status == 303
    assert sorted(await pages.exported()) == sorted([*answered, email])
    async with pages.database.read() as conn:
        assert (await conn.exec_driver_sql("PRAGMA integrity_check")).scalar_one() == "ok"


async def grow(database: Database, by_pages: int) -> None:
    """Let the file grow by so many pages from now on, as a disk would."""

    async def write(conn: AsyncConnection) -> None:
        count = (await conn.exec_driver_sql("PRAGMA page_count")).scalar_one()
        await conn.exec_driver_sql(f"PRAGMA max_page_count={count + by_pages}")

    await database.write(write)


async def fill(pages: Pages) -> None:
    """Visits until one is told to come back."""
    for number in range(200):
        answer = await pages.visit("?utm_campaign=" + "x" * 100, client=f"192.0.2.{number}")
        if answer.status == 503:
            assert "Retry-After" in answer.headers
            return
    pytest.fail("the file never became full")


async def test_a_store_that_is_gone_is_503(pages: Pages) -> None:
    """A page that says to come back, not a stack trace."""
    form = (await pages.visit()).form
    pages.clock.advance(60)
    await pages.database.close()
    for answer in (await pages.visit(), await pages.send(form)):
        assert (answer.status, "Just a moment" in answer.text) == (503, True)
        assert "Retry-After" in answer.headers


# Every answer --------------------------------------------------------------------------------------------------------


def closed(answer: Answer) -> bool:
    """The headers that keep a page to itself."""
    wanted = {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
        "X-Robots-Tag": "noindex",
    }
    policy = answer.headers.get("Content-Security-Policy", "")
    return (
        all(answer.headers.get(name) == value for name, value in wanted.items())
        and "default-src 'none'" in policy
        and "frame-ancestors 'none'" in policy
        and "script-src" not in policy
        and "Server" not in answer.headers
    )


async def test_every_answer_is_closed_errors_too(pages: Pages) -> None:
    """Pages, redirects, files, refusals and errors carry the same headers, and none names the server's software."""
    home = pages.published.home
    signed = await pages.sign_up()
    answers = {
        "page": await pages.visit(),
        "privacy": await pages.ask("GET", f"{home}/privacy"),
        "signed up": signed,
        "yours": await pages.ask("GET", signed.link),
        "export": await pages.ask("GET", f"{signed.link}/export"),
        "health": await pages.ask("GET", "/healthz"),
        "expired": await pages.send("x"),
        "foreign": await pages.send("x", headers={"Origin": "null"}),
        "unknown": await pages.ask("GET", "/p/unknown"),
        "method": await pages.ask("DELETE", home),
        "large": await pages.ask("POST", f"{home}/signup", data={"form": "x" * 20_000}),
        "erased": await pages.ask("POST", f"{signed.link}/erase"),
    }
    await pages.database.close()
    answers["broken"] = await pages.visit()
    assert [name for name, answer in answers.items() if not closed(answer)] == []
    assert answers["method"].status == 405


async def test_what_is_not_http_is_answered_without_an_echo(pages: Pages) -> None:
    """A broken request line and a header of many kilobytes: 400, and nothing of it comes back as a page."""
    host, _, port = pages.origin.removeprefix("http://").partition(":")
    for request in (
        b"GET /<script> HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nX-Long: " + b"<script>" * 4000 + b"\r\n\r\n",
    ):
        with socket.create_connection((host, int(port)), timeout=5) as raw:
            raw.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(raw, request)
            async with asyncio.timeout(5):
                answer = await loop.sock_recv(raw, 65_536)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b" 400 " in head.partition(b"\r\n")[0]
        assert b"text/html" not in head
        assert len(body) < 1000


async def test_no_secret_is_written_to_the_log(pages: Pages, caplog: pytest.LogCaptureFixture) -> None:
    """Neither token nor address nor form, when everything works and when the store fails."""
    caplog.set_level(logging.DEBUG, logger="pipeline")
    caplog.set_level(logging.WARNING)
    form = (await pages.visit()).form
    pages.clock.advance(60)
    signed = await pages.send(form)
    await pages.ask("GET", signed.link)
    await pages.database.close()
    assert (await pages.ask("GET", signed.link)).status == 503
    assert (await pages.ask("POST", f"{signed.link}/erase")).status == 503
    assert "page_failed" in caplog.text
    for secret in (signed.link.rpartition("/")[2], "ada@example.org", form, "198.51.100.7", FIREFOX):
        assert secret not in caplog.text
