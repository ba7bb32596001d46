"""deck.pdf: converted where LibreOffice is; a deck without it is still a deck."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path

import pytest

from chassis.deadline import Deadline, set_deadline
from chassis.testing import ManualClock, until
from services.pitch.pdf import PdfConverter, PdfError


def program(folder: Path, body: str) -> str:
    """A program that stands in for LibreOffice's; `args` are its arguments."""
    path = folder / "soffice"
    path.write_text(f"#!{sys.executable}\nimport os, pathlib, sys, subprocess, time\nargs = sys.argv[1:]\n{body}\n")
    path.chmod(0o755)
    return str(path)


OUT = "out = pathlib.Path(args[args.index('--outdir') + 1])\n"


async def test_the_file_that_was_written_is_handed_over(tmp_path: Path) -> None:
    """The converter gives the presentation to the program and hands back what it wrote."""
    copy = OUT + "(out / 'deck.pdf').write_bytes(b'%PDF-1.7 ' + pathlib.Path(args[-1]).read_bytes())"
    assert await PdfConverter(program(tmp_path, copy)).convert(b"slides") == b"%PDF-1.7 slides"


@pytest.mark.parametrize("body", ["sys.exit(1)", OUT + "(out / 'deck.pdf').write_bytes(b'<html>')"])
async def test_a_failed_conversion_says_so(tmp_path: Path, body: str) -> None:
    """No file, or one that is no PDF, is an error in words."""
    with pytest.raises(PdfError, match="could not convert"):
        await PdfConverter(program(tmp_path, body)).convert(b"slides")


async def test_a_program_that_cannot_be_run_is_told(tmp_path: Path) -> None:
    """A configured program that is not there costs the PDF alone."""
    with pytest.raises(PdfError, match="could not be run"):
        await PdfConverter(str(tmp_path / "nothing")).convert(b"slides")


async def test_a_cancelled_call_leaves_no_process(tmp_path: Path) -> None:
    """When the caller goes away, the program and its children are gone too."""
    pids = tmp_path / "pids"
    hang = (
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"pathlib.Path({str(pids)!r}).write_text(f'{{os.getpid()}} {{child.pid}}')\ntime.sleep(600)"
    )
    task = asyncio.create_task(PdfConverter(program(tmp_path, hang)).convert(b"slides"))
    await until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not any(alive(int(pid)) for pid in pids.read_text().split()))


async def test_without_time_nothing_is_started(tmp_path: Path) -> None:
    """A call that has to answer soon does not begin a conversion."""
    set_deadline(Deadline(5.0, ManualClock()))
    with pytest.raises(PdfError, match="no time was left"):
        await PdfConverter(program(tmp_path, "sys.exit(0)")).convert(b"slides")


def test_off_means_never() -> None:
    """The setting wins over what is installed."""
    assert not PdfConverter("off").available


@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not installed")
async def test_libreoffice_converts_a_real_deck() -> None:
    """A deck of ours opens in LibreOffice, page by page."""
    import io

    from pypdf import PdfReader

    from chassis.figures import Figures
    from services.pitch.domain import deck as decks
    from services.pitch.domain.sizing import Sizing
    from services.pitch.render.layout import paginate
    from services.pitch.render.pptx_writer import write_pptx
    from tests.support.pitches import IDEAS, NOW, request_for

    deck = decks.build(request_for(IDEAS["clinic"]), Figures.load(), Sizing.load(), paginate)
    pdf = await PdfConverter("auto").convert(write_pptx(deck, NOW))
    assert len(PdfReader(io.BytesIO(pdf)).pages) == len(deck.slides)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie of another parent counts as gone.
    return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes() if Path(f"/proc/{pid}").exists() else False
