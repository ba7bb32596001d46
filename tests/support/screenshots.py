"""Takes the pictures of docs/images: `python -m tests.support.screenshots`. Needs Chromium, asks no other server."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from PIL import Image

from services.campaign.http.contract import View, YourData
from services.campaign.http.views import Views
from services.campaign.rendering import PageRenderer
from tests.support.browsers import DESKTOP, PHONE, Scheme, chromium
from tests.support.campaigns import IDEAS, request_for
from tests.support.published import published_of

FOLDER = Path(__file__).parents[2] / "docs" / "images"


async def main() -> None:
    """Each picture shows a whole page, as a visitor is sent it."""
    views = Views(PageRenderer())
    food, clinic = (published_of(request_for(IDEAS[name]), name) for name in ("food", "clinic"))
    signed_up = YourData(
        "ada@example.org", datetime(2026, 11, 25, 9, 5, tzinfo=UTC), food.consent_text, food.consent_version, "a"
    )
    pictures: list[tuple[str, View, Scheme, int]] = [
        ("landing-a", views.landing(food, "a", ""), "light", DESKTOP),
        ("landing-dark", views.landing(clinic, "b", ""), "dark", DESKTOP),
        ("landing-mobile", views.landing(clinic, "a", ""), "light", PHONE),
        ("yours", views.yours(food, signed_up, "/p/food/yours/0"), "light", DESKTOP),
    ]
    FOLDER.mkdir(parents=True, exist_ok=True)
    async with chromium() as browser:
        for name, view, scheme, width in pictures:
            page = await browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})
            await page.set_content(view.html)
            picture = Image.open(BytesIO(await page.screenshot(full_page=True)))
            # Flat colours: 255 of them show no difference and make half the size.
            fewer = picture.convert("RGB").quantize(255, Image.Quantize.MAXCOVERAGE, kmeans=3)
            fewer.save(FOLDER / f"{name}.png", optimize=True)
            await page.close()


if __name__ == "__main__":
    asyncio.run(main())
