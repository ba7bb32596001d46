"""deck.pdf by LibreOffice, where it is installed: one conversion at a time, bounded, in a process group of its own.

LibreOffice reads the presentation that we wrote, with a profile folder that is thrown away afterwards. A deck without a
PDF is still a deck: whatever goes wrong here is told and costs nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from pathlib import Path

from chassis.deadline import current_deadline
from chassis.logs import get_logger

# The first start on a busy machine takes some ten seconds, a deck two; more means that it hangs.
CONVERT_SECONDS_MAX = 60.0
# With less time left the call's own answer comes first.
SECONDS_MIN = 8.0
# Kept for handing the deck over.
MARGIN_SECONDS = 3.0
PDF_BYTES_MAX = 8 * 1024 * 1024
_PROGRAMS = ("soffice", "libreoffice")

_log = get_logger("pitch.pdf")


class PdfError(Exception):
    """There is no PDF this time; the text is a clause for the reader."""


class PdfConverter:
    """Converts presentations with `program` ("auto": what is on the PATH; "off": never)."""

    def __init__(self, program: str = "auto") -> None:
        found = next((path for name in _PROGRAMS if (path := shutil.which(name))), "") if program == "auto" else program
        self.program = "" if program == "off" else found
        # LibreOffice takes a core and some 200 MB: a second one beside it would only make both late.
        self._one = asyncio.Semaphore(1)

    def __repr__(self) -> str:
        return f"PdfConverter({self.program or 'none'})"

    @property
    def available(self) -> bool:
        """Whether there is a program to convert with."""
        return bool(self.program)

    async def convert(self, pptx: bytes) -> bytes:
        """The presentation as PDF. Raises PdfError."""
        deadline = current_deadline()
        left = (
            CONVERT_SECONDS_MAX if deadline is None else min(deadline.remaining() - MARGIN_SECONDS, CONVERT_SECONDS_MAX)
        )
        if left < SECONDS_MIN:
            raise PdfError("no time was left for it")
        try:
            async with asyncio.timeout(left), self._one:
                with tempfile.TemporaryDirectory(prefix="deck-") as folder:
                    return await self._convert(Path(folder), pptx)
        except TimeoutError as error:
            raise PdfError(f"LibreOffice did not finish within {left:.0f} s") from error
        except OSError as error:
            raise PdfError(f"LibreOffice could not be run ({error.strerror or 'unknown error'})") from error

    async def _convert(self, folder: Path, pptx: bytes) -> bytes:
        source, target = folder / "deck.pptx", folder / "deck.pdf"
        await asyncio.to_thread(source.write_bytes, pptx)
        process = await asyncio.create_subprocess_exec(
            self.program,
            f"-env:UserInstallation=file://{folder}/profile",
            "--headless",
            "--norestore",
            "--nolockcheck",
            "--convert-to",
            "pdf:impress_pdf_Export",
            "--outdir",
            str(folder),
            str(source),
            cwd=folder,
            env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "LANG": "C.UTF-8"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            # It starts children of its own: the whole group goes when we stop waiting.
            start_new_session=True,
        )
        try:
            code = await process.wait()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            if process.returncode is None:
                await process.wait()
        pdf = await asyncio.to_thread(_read, target)
        if not pdf.startswith(b"%PDF-"):
            _log.warning("pdf_failed", code=code)
            raise PdfError("LibreOffice could not convert the presentation")
        if len(pdf) > PDF_BYTES_MAX:
            raise PdfError(f"it would have more than {PDF_BYTES_MAX} bytes")
        return pdf


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
