"""Debian's Chromium for tests of pages, and what it must not do there: open dialogs, complain, ask other servers."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright

# As people's browsers call themselves: "HeadlessChrome" is a program, whose visits do not count.
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{number}.0.0.0 Safari/537.36"
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, Scheme] = ("light", "dark")
DESKTOP, PHONE = 1280, 375
# Nothing of the browser's own talks to the network.
_QUIET = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-domain-reliability"),
)


@dataclass
class Visit:
    """A page, and what went wrong on it."""

    page: Page
    origin: str
    wrong: list[str] = field(default_factory=list)

    async def see(self, path: str) -> None:
        await self.page.goto(self.origin + path)

    async def overflows(self) -> bool:
        """Whether the page scrolls sideways."""
        return bool(
            await self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        )

    async def violations(self) -> list[str]:
        """What axe-core finds: the rule and the elements."""
        found = (await Axe().run(self.page)).response["violations"]
        return [f"{v['id']}: {', '.join(str(node['target']) for node in v['nodes'])}" for v in found]


def chromium_path() -> str:
    """The browser; skips the test where there is none."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    return found


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A running browser without a profile."""
    path = chromium_path()
    # Chromium's sandbox refuses to work for root, which containers are.
    args = [*_QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=args)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def visit(
    browser: Browser,
    origin: str,
    *,
    scheme: Scheme = "light",
    width: int = DESKTOP,
    scripts: bool = True,
    number: int = 140,
) -> AsyncIterator[Visit]:
    """A visitor with empty pockets; fails at the end if a dialog opened, the console complained or a request left.

    `number`: the browser's version; another number is another visitor. Without `scripts` the page has to do alone.
    """
    context = await browser.new_context(
        color_scheme=scheme,
        viewport={"width": width, "height": 900},
        java_script_enabled=scripts,
        user_agent=_AGENT.format(number=number),
    )
    page = await context.new_page()
    subject = Visit(page, origin)

    async def dialog(opened: object) -> None:
        subject.wrong.append("a dialog opened")
        await opened.dismiss()  # type: ignore[attr-defined]

    page.on("dialog", dialog)
    page.on("pageerror", lambda error: subject.wrong.append(f"error: {error}"))
    page.on("request", lambda request: _check_origin(subject, request.url))
    page.on("console", lambda message: _check_console(subject, message.type, message.text))
    try:
        yield subject
    finally:
        await context.close()
    assert not subject.wrong, "; ".join(subject.wrong)


def _check_origin(subject: Visit, url: str) -> None:
    if not url.startswith((subject.origin + "/", "data:image/svg+xml,")):
        subject.wrong.append(f"asked {url}")


def _check_console(subject: Visit, kind: str, text: str) -> None:
    # A page that was refused is what the test asked for.
    if kind in ("error", "warning") and "the server responded with a status of" not in text:
        subject.wrong.append(f"console: {text}")
