"""Six ideas for five kinds of investor: thirty decks to look at, and to check.

    python -m bench.decks --out /tmp/decks [--reuse] [--pages] [--only food-angel]

Each idea goes through validation and evidence once, embedded and offline; the deck of every investor type is then
drafted from what that run found. With `--reuse` the runs of an earlier call in the same folder are taken. `--pages`
converts every deck with LibreOffice and lays its pages out on one sheet, where `soffice`, `pdftoppm` and Pillow are.

Checked: 10 to 15 slides, every number covered, and as many pages as slides. Printed: the scores, and for each idea the
smallest and the mean share of statements that two of its decks do not share. Exits 1 where a check fails.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from chassis.figures import Figures
from pipeline.main_pipeline_async import AsyncMainPipeline
from pipeline.v1 import common_pb2, pitch_pb2
from services.pitch.domain import deck as decks
from services.pitch.domain.difference import unshared
from services.pitch.domain.sizing import Sizing
from services.pitch.render.html_writer import write_html
from services.pitch.render.layout import paginate
from services.pitch.render.pptx_writer import write_pptx

IDEAS = {
    "food": "A mobile app that helps households waste less food by tracking expiry dates and suggesting recipes",
    "physio": "Scheduling software for physiotherapy clinics that fills cancelled appointments from a waitlist",
    "lab": "A marketplace where laboratories buy and sell used lab equipment that has been inspected and certified",
    "invoice": "Invoice financing for freelancers: we advance unpaid invoices within a day and collect from the client",
    "reading": "An AI tutor that listens to children read aloud and helps them with the words they stumble over",
    "fall": "A fall-detection wearable for seniors who live alone that calls a relative when it notices a fall",
}
INVESTORS = tuple(value for value in common_pb2.InvestorType.values() if value)
# Of the day the decks are drafted; fixed, so that two calls write the same bytes.
DRAFTED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SLIDES = range(10, 16)


async def inputs(folder: Path, reuse: bool) -> dict[str, pitch_pb2.DraftDeckRequest]:
    """What each idea's deck is drafted from, by the idea's key; kept in the folder."""
    found: dict[str, pitch_pb2.DraftDeckRequest] = {}
    kept = {key: folder / f"{key}.binpb" for key in IDEAS}
    if reuse and all(path.exists() for path in kept.values()):
        return {key: pitch_pb2.DraftDeckRequest.FromString(path.read_bytes()) for key, path in kept.items()}
    with tempfile.TemporaryDirectory() as state:
        async with AsyncMainPipeline(state_dir=Path(state), offline=True) as pipeline:
            for key, idea in IDEAS.items():
                result = await pipeline.execute_full_pipeline(idea, generate_mvp=False, continue_on_rejection=True)
                report = result.report
                found[key] = pitch_pb2.DraftDeckRequest(
                    profile=report.profile,
                    claims=report.validation.claims,
                    evidence=report.evidence.items,
                    criteria=report.validation.criteria,
                    verdict=report.verdict,
                )
                kept[key].write_bytes(found[key].SerializeToString(deterministic=True))
    return found


def investor_name(investor: int) -> str:
    """`series_a`."""
    return common_pb2.InvestorType.Name(investor).removeprefix("INVESTOR_TYPE_").lower()  # type: ignore[arg-type]


def draft(request: pitch_pb2.DraftDeckRequest, investor: int, planning: tuple[Figures, Sizing]) -> decks.Deck:
    """The deck of one investor type."""
    own = pitch_pb2.DraftDeckRequest()
    own.CopyFrom(request)
    own.investor_type = investor  # type: ignore[assignment]
    return decks.build(own, *planning, paginate)


def faults(deck: decks.Deck) -> list[str]:
    """What is wrong with a deck, in words."""
    found = [f"{len(deck.slides)} slides"] if len(deck.slides) not in SLIDES else []
    found += [notice.message for notice in deck.notices if notice.subject == "deck"]
    for slide in deck.slides:
        deck.coverage.check_slide(slide)
    return found


def to_pages(pptx: Path, sheet: Path) -> int:
    """Converts a deck with LibreOffice, lays its pages out on one sheet, and returns how many there are."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as scratch:
        profile = f"-env:UserInstallation=file://{tempfile.gettempdir()}/pipeline-bench-decks"
        office = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", scratch, str(pptx)]
        subprocess.run(office, check=True, capture_output=True, timeout=300)
        pdf = next(Path(scratch).glob("*.pdf"))
        shutil.copy(pdf, pptx.with_suffix(".pdf"))
        subprocess.run(["pdftoppm", "-r", "60", "-png", str(pdf), f"{scratch}/page"], check=True, timeout=300)
        pages = [Image.open(path) for path in sorted(Path(scratch).glob("page-*.png"))]
        width, height = pages[0].size
        columns = 3
        whole = Image.new("RGB", (width * columns, height * -(-len(pages) // columns)), "white")
        for place, page in enumerate(pages):
            whole.paste(page, (place % columns * width, place // columns * height))
        whole.save(sheet)
    return len(pages)


def compare(drafted: Mapping[int, decks.Deck]) -> str:
    """How different the decks of one idea are."""
    shares = [unshared(one.slides, other.slides) for one, other in itertools.combinations(drafted.values(), 2)]
    return f"unshared statements: least {min(shares):.0%}, mean {sum(shares) / len(shares):.0%}"


def main() -> int:
    """Writes, checks and compares the decks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the decks")
    parser.add_argument("--reuse", action="store_true", help="take the runs of an earlier call in this folder")
    parser.add_argument("--pages", action="store_true", help="convert to PDF and to one sheet of pages")
    parser.add_argument("--only", default="", help="draw only decks whose name contains this")
    options = parser.parse_args()
    if options.pages and not (shutil.which("soffice") and shutil.which("pdftoppm")):
        parser.error("--pages needs soffice (LibreOffice) and pdftoppm (poppler-utils) on the PATH")
    (options.out / "inputs").mkdir(parents=True, exist_ok=True)
    requests = asyncio.run(inputs(options.out / "inputs", options.reuse))
    planning = Figures.load(), Sizing.load()
    wrong = 0
    for key, request in requests.items():
        drafted = {investor: draft(request, investor, planning) for investor in INVESTORS}
        for investor, deck in drafted.items():
            name = f"{key}-{investor_name(investor)}"
            if options.only not in name:
                continue
            pptx = options.out / f"{name}.pptx"
            pptx.write_bytes(write_pptx(deck, DRAFTED))
            pptx.with_suffix(".html").write_bytes(write_html(deck))
            found = faults(deck)
            if options.pages:
                pages = to_pages(pptx, options.out / f"{name}.png")
                found += [f"{pages} pages for {len(deck.slides)} slides"] if pages != len(deck.slides) else []
            wrong += bool(found)
            score = deck.quality
            print(
                f"{name:20} {len(deck.slides)} slides; complete {score.completeness:.2f}, evidence "
                f"{score.evidence_strength:.2f}, readable {score.readability:.2f}, density {score.density:.2f}, "
                f"overall {score.overall:.2f}; {score.numbers_cited} numbers cited, {score.numbers_assumed} assumed"
                + "".join(f"; FAULT: {fault}" for fault in found)
            )
        print(f"{key:20} {compare(drafted)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
