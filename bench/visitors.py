"""Visitors of a landing page, many at a time; then the server is killed in the middle of them and started again.

The real campaign server runs as a process of its own, on loopback, with a published campaign. Every visitor has an
address (X-Forwarded-For, one trusted proxy) and a browser. Some sign up, some send the same form twice at once, some
come back: from another network with the cookie that they agreed to, or without it. Some have a second address. What
each was told is written down and compared with the store afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bench.page_server import PageServer, Stored

BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1 (KHTML, like Gecko) Version/19.0 Safari/605.1",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
)
SIGN_UP_SHARE = 0.10
# Of those who sign up.
TWICE_SHARE = 0.05
SECOND_ADDRESS_SHARE = 0.05
RETURN_SHARE = 0.20
SAMPLE_RATIO_P_MIN = 0.001

_FORM = re.compile(r'name="form" value="([^"]+)"')
_VARIANT = re.compile(r'data-variant="([ab])"')


@dataclass
class Visitor:
    """Who comes, what they mean to do, and what they were told."""

    number: int
    emails: tuple[str, ...]
    twice: bool
    returns: bool
    sent: int = 0
    variants: list[str] = field(default_factory=list)
    # Links of one's own page, by address: one for each answer.
    links: dict[str, list[str]] = field(default_factory=dict)
    # Addresses of forms that were sent, answered or not.
    tried: set[str] = field(default_factory=set)
    cookie: str = ""

    def headers(self, *, moved: bool = False) -> dict[str, str]:
        """A browser behind the proxy; `moved`: on another network."""
        network = 10 if not moved else 172
        number = self.number
        address = f"{network}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        known = {"Cookie": self.cookie} if self.cookie else {}
        return {"User-Agent": BROWSERS[number % len(BROWSERS)], "X-Forwarded-For": address, **known}


def people(count: int, seed: int) -> list[Visitor]:
    """The same visitors for the same seed."""
    dice = random.Random(seed)
    made = []
    for number in range(count):
        emails: tuple[str, ...] = ()
        if dice.random() < SIGN_UP_SHARE:
            emails = (f"visitor{number}@example.org",)
            if dice.random() < SECOND_ADDRESS_SHARE:
                emails += (f"second{number}@example.org",)
        made.append(Visitor(number, emails, dice.random() < TWICE_SHARE, dice.random() < RETURN_SHARE))
    return made


class Crowd:
    """Lets visitors in over a bounded number of connections and writes down what they see."""

    def __init__(self, server: PageServer, visitors: Sequence[Visitor], connections: int) -> None:
        self._server = server
        self.visitors = visitors
        self._connections = connections
        self.seconds: list[float] = []
        self.broken = 0
        self.refused: list[str] = []
        self.finished = 0
        self._up = asyncio.Event()
        self._up.set()

    async def come(self, *, kill_after: int = 0) -> float:
        """Everybody comes; the server is killed after so many visitors (0: not). Returns the seconds that it took."""
        waiting = iter(self.visitors)
        begun = time.perf_counter()
        connector = aiohttp.TCPConnector(limit=self._connections)
        jar = aiohttp.DummyCookieJar()
        async with (
            aiohttp.ClientSession(connector=connector, cookie_jar=jar) as browser,
            asyncio.TaskGroup() as doors,
        ):
            for _ in range(self._connections):
                doors.create_task(self._door(browser, waiting, kill_after))
        return time.perf_counter() - begun

    async def _door(self, browser: aiohttp.ClientSession, waiting: Iterator[Visitor], kill_after: int) -> None:
        for visitor in waiting:
            await self._one(browser, visitor)
            self.finished += 1
            if self.finished == kill_after:
                self._up.clear()
                await self._server.kill()
                await self._server.start()
                self._up.set()

    async def _one(self, browser: aiohttp.ClientSession, visitor: Visitor) -> None:
        for email in visitor.emails or ("",):
            form = await self._see(browser, visitor)
            if form and email:
                visitor.tried.add(email)
                sendings = [self._sign_up(browser, visitor, form, email) for _ in range(1 + visitor.twice)]
                if not all(await asyncio.gather(*sendings)) and visitor.number % 2:
                    # Half of those who got no answer send their form again.
                    await self._sign_up(browser, visitor, form, email)
        if visitor.returns:
            await self._see(browser, visitor, moved=bool(visitor.cookie))

    async def _see(self, browser: aiohttp.ClientSession, visitor: Visitor, *, moved: bool = False) -> str:
        """Look at the page; returns its form, "" where no answer came."""
        visitor.sent += 1
        answer = await self._ask(browser, "GET", self._server.page, visitor.headers(moved=moved))
        if answer is None:
            return ""
        status, html, _ = answer
        variant, form = _VARIANT.search(html), _FORM.search(html)
        if status != 200 or variant is None or form is None:
            self.refused.append(f"page of visitor {visitor.number}: {status}")
            return ""
        visitor.variants.append(variant[1])
        return form[1]

    async def _sign_up(self, browser: aiohttp.ClientSession, visitor: Visitor, form: str, email: str) -> bool:
        """Send the form; False where no answer came."""
        fields = {"form": form, "email": email, "consent": "yes", "website": ""}
        answer = await self._ask(browser, "POST", f"{self._server.page}/signup", visitor.headers(), fields)
        if answer is None:
            return False
        status, _, headers = answer
        if status != 303:
            self.refused.append(f"form of visitor {visitor.number}: {status}")
            return True
        visitor.links.setdefault(email, []).append(headers["Location"])
        visitor.cookie = headers.get("Set-Cookie", "").partition(";")[0]
        return True

    async def _ask(
        self,
        browser: aiohttp.ClientSession,
        method: str,
        url: str,
        headers: dict[str, str],
        data: dict[str, str] | None = None,
    ) -> tuple[int, str, dict[str, str]] | None:
        begun = time.perf_counter()
        try:
            async with browser.request(method, url, headers=headers, data=data, allow_redirects=False) as answer:
                text = await answer.text()
        except aiohttp.ClientError:
            self.broken += 1
            # Whoever comes next comes when somebody answers.
            await self._up.wait()
            return None
        self.seconds.append(time.perf_counter() - begun)
        return answer.status, text, dict(answer.headers)


def problems(
    crowd: Crowd, stored: Stored, *, killed: bool, sample_ratio_p_min: float = SAMPLE_RATIO_P_MIN
) -> list[str]:
    """Where the store and what the visitors were told disagree; empty where they do not."""
    found = list(crowd.refused)
    seen = [visitor for visitor in crowd.visitors if visitor.variants]
    came = [visitor for visitor in crowd.visitors if visitor.sent]
    views, sent = sum(len(v.variants) for v in seen), sum(v.sent for v in came)
    found += _between("visitors", len(seen), stored.visitors, len(came))
    found += _between("page views", views, stored.views, sent)
    told = {email for visitor in seen for email in visitor.links}
    tried = {email for visitor in seen for email in visitor.tried}
    kept = set(stored.emails)
    found += [f"lost: {email}" for email in sorted(told - kept)]
    found += [f"made up: {email}" for email in sorted(kept - tried)]
    if len(stored.emails) != len(kept):
        found.append(f"{len(stored.emails) - len(kept)} addresses are there twice")
    found += _between(
        "people signed up", sum(bool(v.links) for v in seen), stored.people, sum(bool(v.tried) for v in seen)
    )
    for visitor in seen:
        if len(set(visitor.variants)) > 1:
            found.append(f"visitor {visitor.number} saw both pages")
        if any(len(set(links)) > 1 for links in visitor.links.values()):
            found.append(f"visitor {visitor.number} was given two links for one form")
    shown = {email: link for visitor in seen for email, links in visitor.links.items() for link in links}
    found += [f"the link of {email} does not open" for email, link in shown.items() if link not in stored.links]
    if stored.sample_ratio_p < sample_ratio_p_min:
        found.append(f"sample ratio mismatch: p = {stored.sample_ratio_p:.2g}")
    if not killed and (crowd.broken or stored.visitors != len(came) or stored.views != sent or kept != tried):
        found.append(f"{crowd.broken} requests unanswered although nothing was killed")
    return found


def _between(what: str, answered: int, stored: int, sent: int) -> list[str]:
    return [] if answered <= stored <= sent else [f"{what}: answered {answered}, stored {stored}, sent {sent}"]


def told_of(crowd: Crowd, stored: Stored, took: float) -> str:
    """What was measured, in lines."""
    answered, visitors = len(crowd.seconds), crowd.visitors
    cuts = statistics.quantiles(crowd.seconds, n=100)
    p50, p99, slowest = cuts[49] * 1000, cuts[98] * 1000, max(crowd.seconds) * 1000
    seen, came = sum(bool(v.variants) for v in visitors), sum(bool(v.sent) for v in visitors)
    views, sent = sum(len(v.variants) for v in visitors), sum(v.sent for v in visitors)
    told = len({email for v in visitors for email in v.links})
    tried = len({email for v in visitors for email in v.tried})
    forms = sum(len(links) for v in visitors for links in v.links.values())
    split = f"a {stored.visitors_a}, b {stored.visitors - stored.visitors_a}, SRM p = {stored.sample_ratio_p:.3f}"
    return "\n".join(
        (
            f"  requests   {answered} answered in {took:.1f} s, {answered / took:.0f}/s; {crowd.broken} unanswered",
            f"  latency    p50 {p50:.0f} ms, p99 {p99:.0f} ms, max {slowest:.0f} ms",
            f"  visitors   answered {seen} <= stored {stored.visitors} <= sent {came}; {split}",
            f"  views      answered {views} <= stored {stored.views} <= sent {sent}",
            f"  addresses  answered {told} <= stored {len(stored.emails)} <= sent {tried}; {forms} answers to forms,"
            f" {stored.people} people counted",
        )
    )


async def one_round(
    folder: Path, visitors: int, connections: int, seed: int, *, kill: bool
) -> tuple[Crowd, Stored, float]:
    """A server of its own, everybody's visit, and what the store holds then; `kill`: SIGKILL after half of them."""
    server = PageServer(folder)
    await server.start()
    try:
        await server.publish()
        crowd = Crowd(server, people(visitors, seed), connections)
        took = await crowd.come(kill_after=visitors // 2 if kill else 0)
        links = [link for v in crowd.visitors for known in v.links.values() for link in known]
        return crowd, await server.stored(links), took
    finally:
        await server.stop()


async def both_rounds(visitors: int, connections: int, seed: int) -> int:
    """Measure, print; 1 where something does not hold."""
    print(f"{os.cpu_count()} cores, {visitors} visitors over {connections} connections, all on one machine")
    wrong = 0
    for kill in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            crowd, stored, took = await one_round(Path(folder), visitors, connections, seed + kill, kill=kill)
        print("\nkilled (SIGKILL) after half of the visitors, started again" if kill else "\nundisturbed")
        print(told_of(crowd, stored, took))
        found = problems(crowd, stored, killed=kill)
        print(
            "\n".join(f"  WRONG      {problem}" for problem in found[:20])
            or "  holds      nothing lost, nothing doubled"
        )
        wrong += len(found)
    return 1 if wrong else 0


def main() -> None:
    """Both rounds."""
    parser = argparse.ArgumentParser(prog="python -m bench.visitors", description=__doc__)
    parser.add_argument("--visitors", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    sys.exit(asyncio.run(both_rounds(arguments.visitors, arguments.connections, arguments.seed)))


if __name__ == "__main__":
    main()
