"""What an HTTP upstream sent: the answer, its decoding within a bound, and its wish to be left alone."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

# The longest rest of a breaker: no caller is asked to wait longer, whatever the upstream names.
RETRY_AFTER_SECONDS_MAX = 300.0


class MalformedError(ValueError):
    """The body is not what its Content-Encoding says."""


@dataclass(frozen=True)
class HttpResponse:
    """A whole answer with status 200 to 299, or one that the caller reads itself.

    Header names are in lower case; `url` is the last one asked.
    """

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """ "text/html", in lower case; "" where the upstream names none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def charset(self) -> str:
        """ "utf-8", in lower case; "" where the upstream names none."""
        for part in self.headers.get("content-type", "").split(";")[1:]:
            key, _, value = part.partition("=")
            if key.strip().lower() == "charset":
                return value.strip().strip("\"'").lower()
        return ""

    def text(self) -> str:
        """The body in the charset it names, else UTF-8; bytes that do not fit become U+FFFD."""
        try:
            return self.body.decode(self.charset or "utf-8", "replace")
        except (LookupError, UnicodeError):
            return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON; ValueError where it is none (NaN and Infinity are not JSON)."""
        try:
            return json.loads(self.body, parse_constant=_not_json)
        except RecursionError as exc:
            raise ValueError("nested too deeply") from exc


class Plain:
    """No encoding. `complete` is left to the transport, which knows the length."""

    complete = True

    def feed(self, chunk: bytes, limit: int) -> bytes:
        return chunk[: max(limit, 0)]


class Inflate:
    """gzip and deflate, decoding no more than it is allowed to: a bomb never unfolds."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=47)  # gzip or zlib, by its header
        self._fed = False

    @property
    def complete(self) -> bool:
        return self._inflate.eof or not self._fed

    def feed(self, chunk: bytes, limit: int) -> bytes:
        if limit <= 0:
            return b""
        self._fed = True
        try:
            return self._inflate.decompress(chunk, limit)
        except zlib.error as exc:
            raise MalformedError(str(exc)) from exc


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header (seconds or an HTTP date) asks for, capped; None where it says nothing."""
    if not value:
        return None
    text = value.strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            date = parsedate_to_datetime(text)
        except ValueError:
            return None
        if date.tzinfo is None:
            date = date.replace(tzinfo=UTC)
        seconds = (date - now).total_seconds()
    if math.isnan(seconds):
        return None
    return min(max(seconds, 0.0), RETRY_AFTER_SECONDS_MAX)


def _not_json(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
