"""The pages' server over HTTP: what it refuses, how it fails, and what every answer carries."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import Database
from pipeline.v1 import campaign_pb2
from services.campaign.http.contract import Published
from services.campaign.http.routes import PageRules
from services.campaign.http.throttle import Rate
from services.campaign.store import schema
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
