"""What the community and web search providers share beyond `reading`: lines of HTML, waits, and the wish for rest.

A provider with a `Rest` makes no call before an upstream's wish to be left alone has passed.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from chassis.clock import Clock
from chassis.http_answer import RETRY_AFTER_SECONDS_MAX, HttpResponse, parse_retry_after
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2
from services.evidence.domain.model import Query
from services.evidence.domain.words import is_generic, stem
from services.evidence.providers.extract import html_to_text, visible
from services.evidence.providers.reading import line, malformed
from services.evidence.providers.reading import moment as iso_moment

# A year; an upstream that asks for more is taken at its word, not for ever.
REST_SECONDS_MAX = 366 * 86_400.0
# A longer "word" is a token or a trick, and no search takes it.
WORD_CHARS_MAX = 40
_WORD = re.compile(r"[^\W_][\w'’+.#-]*", re.UNICODE)


# ------------------------------------------------------------------------------------ fields


def html_line(value: object, chars_max: int) -> str:
    """HTML as one clean line of at most `chars_max`; "" for what is no string."""
    return " ".join(html_to_text(value).split())[:chars_max].strip() if isinstance(value, str) else ""


def plain_line(value: object, chars_max: int) -> str:
    """Plain text as one clean line, markup as it is written; "" for what is no string."""
    return line(value, chars_max) if isinstance(value, str) else ""


def count(record: dict[str, Any], field: str) -> int:
    """A field that should be a whole number of things; 0 where it is none, negative or absurd."""
    value = record.get(field)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**15 else 0


def day_of(seconds: object) -> datetime | None:
    """A moment given in seconds since 1970; None where it is no such number."""
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds < 4_102_444_800:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def moment(value: object) -> datetime | None:
    """A moment in ISO 8601, in UTC; one without a zone is taken as UTC; None where it is none."""
    read = iso_moment(value.strip()) if isinstance(value, str) else None
    return read.astimezone(UTC) if read else None


def rows(provider: str, answer: object, *path: str) -> list[dict[str, Any]]:
    """The records at `path`; those that are no objects are left out. Raises UPSTREAM_FAILED where there is no list."""
    for field in path:
        answer = answer.get(field) if isinstance(answer, dict) else None
    if not isinstance(answer, list):
        raise malformed(provider, f"without a list of {path[-1]}" if path else "without a list")
    return [record for record in answer if isinstance(record, dict)]


def error_body(response: HttpResponse) -> dict[str, Any]:
    """The JSON object of a refusal; {} where it is none."""
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def specific_words(query: Query, most: int) -> list[str]:
    """At most `most` words that say something about the field, strongest first, each once.

    Unlike `reading.search_words` it keeps "no-shows" and "c++" whole, for engines that rank rather than match.
    """
    words: dict[str, str] = {}
    for term in [*query.terms, *query.idea.keywords]:
        for written in _WORD.findall(visible(term).lower()):
            word = written.rstrip(".-'’")
            key = stem(word)
            if len(word) <= WORD_CHARS_MAX and not is_generic(key) and len(words) < most:
                words.setdefault(key, word)
    return list(words.values())


# ------------------------------------------------------------------------------------ waits


def sent_at(response: HttpResponse, clock: Clock) -> datetime:
    """When the answer was sent by its own Date, so that a wrong clock here does no harm; else now."""
    try:
        sent = parsedate_to_datetime(response.headers.get("date", ""))
    except (ValueError, OverflowError):
        return clock.now()
    return sent.replace(tzinfo=UTC) if sent.tzinfo is None else sent


def wait_of(response: HttpResponse, clock: Clock) -> float | None:
    """Seconds of the answer's Retry-After; None where it names none.

    Seconds are taken whole, so that a rest of a day is kept; what callers are told is capped by `limited`.
    """
    said = response.headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit() and len(said) < 12:
        return float(said)
    return parse_retry_after(response.headers.get("retry-after"), sent_at(response, clock))


# ------------------------------------------------------------------------------------ errors


def failed(provider: str, what: str, *, cause: str, status: int = 0) -> PipelineError:
    """UPSTREAM_FAILED; `what` completes the sentence that begins with the provider's name."""
    metadata = {"upstream": provider, "cause": cause}
    if status:
        metadata["status"] = str(status)
    return PipelineError(errors_pb2.ERROR_REASON_UPSTREAM_FAILED, f"{provider} {what}", metadata=metadata)


def refused_key(provider: str, setting: str, status: int) -> PipelineError:
    """The upstream does not take our key: a person has to mend it, so that the message names the setting."""
    return failed(provider, f"refused the key; check {setting}", cause="status", status=status)


def limited(provider: str, seconds: float, status: int = 0, why: str = "asks for fewer calls") -> PipelineError:
    """UPSTREAM_RATE_LIMITED with the wait, capped as everywhere; the whole wait stands in the metadata."""
    metadata = {"upstream": provider}
    if status:
        metadata["status"] = str(status)
    if seconds > RETRY_AFTER_SECONDS_MAX:
        metadata["wait_seconds"] = f"{seconds:.0f}"
    return PipelineError(
        errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED,
        f"{provider} {why}",
        metadata=metadata,
        retry_after=min(max(seconds, 0.0), RETRY_AFTER_SECONDS_MAX),
    )


class Rest:
    """Remembers until when an upstream wants to be left alone. One for each provider, kept as long as it."""

    def __init__(self, provider: str, clock: Clock) -> None:
        self._provider = provider
        self._clock = clock
        self._until = 0.0
        self._why = ""

    @property
    def seconds(self) -> float:
        """What is left of the rest; 0 when the upstream may be asked."""
        return max(self._until - self._clock.monotonic(), 0.0)

    def begin(self, seconds: float, why: str = "asks for fewer calls") -> None:
        """The upstream wants `seconds` without a call; a shorter wish does not end a longer one."""
        if not math.isfinite(seconds) or seconds <= 0:
            return
        until = self._clock.monotonic() + min(seconds, REST_SECONDS_MAX)
        if until > self._until:
            self._until, self._why = until, why

    def check(self) -> None:
        """Raises UPSTREAM_RATE_LIMITED while the rest lasts: no call goes out."""
        if (left := self.seconds) > 0:
            raise limited(self._provider, left, why=self._why)

    def __repr__(self) -> str:
        return f"<Rest {self._provider} {self.seconds:g} s>"
